# SPDX-License-Identifier: Apache-2.0
"""test_hardening.py - what the compiler and the linker put around the code stands in the program that was built."""

import os
import re
import subprocess

import process

# Of each kind of processor, as objdump shows it: each function says where it may be entered, or signs its way back; a
# large frame is taken page by page.
MARKS = {"X86-64": (r"\bendbr64", r"\b(?:or|mov)[lq]? +\$0x0,(?:0x\w+)?\(%rsp\)"),
         "AArch64": (r"\bpaciasp", r"\bstr\s+xzr, \[sp")}


def shown(*command):
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=60,
                          env={**os.environ, "LC_ALL": "C"}).stdout


def is_hardened(program):
    """An assertion fails where it is not."""
    told = shown("readelf", "--wide", "--file-header", "--segments", "--dynamic", "--dyn-syms", program)
    assert "DYN (Position-Independent Executable file)" in told
    assert "GNU_RELRO" in told and "BIND_NOW" in told
    assert re.search(r"GNU_STACK .* RW ", told) and not re.search(r"^ +\w+ +0x.* (?:RWE|WE) ", told, re.M)
    assert not re.search(r"\((?:RPATH|RUNPATH|TEXTREL)\)", told)
    called = set(re.findall(r"\bUND (\w+)", told))
    assert "__stack_chk_fail" in called and {"__snprintf_chk", "__memcpy_chk"} <= called
    code = shown("objdump", "--disassemble", "--no-show-raw-insn", "--section=.text", program)
    for mark in MARKS[re.search(r"Machine: .*\b(X86-64|AArch64)", told)[1]]:
        assert re.search(mark, code), mark


def test_the_program_is_hardened():
    is_hardened(process.BINARY)
