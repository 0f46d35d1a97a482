# SPDX-License-Identifier: Apache-2.0
"""image.py - how large the container image is, unpacked. tools/image builds it, and starts an engine where none runs."""
import contextlib, os, re, secrets, subprocess, tarfile

from figures import Failed, Group, Missing, within
from server import ROOT

MB = 40
UNAVAILABLE = 69  # EX_UNAVAILABLE: what tools/image says where no engine can be had


@contextlib.contextmanager
def built():
    """The environment in which docker finds it, and its id."""
    tool = ROOT / "tools" / "image"
    ran = subprocess.run([tool, "running"], capture_output=True).returncode == 0
    done = subprocess.run([tool, "start"], stdout=subprocess.PIPE, text=True)
    if done.returncode == UNAVAILABLE:
        raise Missing("no container engine")
    if done.returncode:
        raise Failed("the image does not build")
    try:
        told = dict(re.findall(r"^export (\w+)=(.*)$", done.stdout, re.M))
        yield os.environ | told, told["KURYE_TEST_IMAGE"]
    finally:
        if not ran:
            subprocess.run([tool, "stop"], check=True)


def files_mb(environment, image):
    """All files, as a container of it sees them."""
    name = "kuryed-bench-" + secrets.token_hex(6)
    subprocess.run(["docker", "create", f"--name={name}", image], check=True, env=environment, stdout=subprocess.DEVNULL)
    try:
        with subprocess.Popen(["docker", "export", name], env=environment, stdout=subprocess.PIPE) as exporting, \
                tarfile.open(fileobj=exporting.stdout, mode="r|") as archive:
            return sum(file.size for file in archive) / 1e6
    finally:
        subprocess.run(["docker", "rm", "--volumes", name], check=True, env=environment, stdout=subprocess.DEVNULL)


def runs(_):
    with built() as (environment, image):
        yield {"size": files_mb(environment, image)}


GROUPS = [Group("image", [within("image, unpacked", "MB", MB, lambda run: run["size"])], runs)]
