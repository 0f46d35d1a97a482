# SPDX-License-Identifier: Apache-2.0
"""Has spin go through a model to the last state.

usage: run.py MODEL CC [--live] [--finds] [DEFINE...]
--live: that it comes to rest, whatever happened; else that each assertion holds and nobody waits for ever.
--finds: one guard was taken away, and an error must be found; else none may be.
"""

import re
import subprocess
import sys
import tempfile


def run(folder, *command):
    return subprocess.run(command, cwd=folder, text=True, check=True, stdout=subprocess.PIPE).stdout


def verdict(folder, model, compiler, live, defines):
    """What spin's verifier says, once it has been made."""
    run(folder, 'spin', '-a', *(f'-D{define}' for define in defines + ['LIVENESS'] * live), model)
    run(folder, compiler, '-w', '-O0', '-o', 'pan', 'pan.c', *([] if live else ['-DSAFETY']))
    return run(folder, './pan', '-w22', '-m100000', *(['-a'] if live else []))


def main(model, compiler, *arguments):
    live, finds = '--live' in arguments, '--finds' in arguments
    with tempfile.TemporaryDirectory() as folder:
        said = verdict(folder, model, compiler, live, [a for a in arguments if not a.startswith('--')])
    print(said)
    found = int(re.search(r'errors: (\d+)', said)[1]) > 0
    cut_short = re.search(r'max search depth|out of memory', said) or not found and 'not completed' in said
    return 1 if cut_short or found != finds else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
