#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed.py - the panel's files as one C file, so that the binary needs nothing beside itself.

usage: embed.py OUT.c FILE…
"""

import hashlib
import sys
from pathlib import Path

TYPES = {'.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml',
         '.js': 'text/javascript; charset=utf-8'}


def array(number, content):
    rows = [', '.join(str(byte) for byte in content[at:at + 24]) for at in range(0, len(content), 24)]
    return f'static const unsigned char file_{number}[] = {{\n' + ',\n'.join(rows) + '};\n'


out, *names = sys.argv[1:]
files = [(Path(name).name, Path(name).read_bytes()) for name in names]
text = '/* Made by panel/embed.py. */\n#include "handlers/panel_file.h"\n\n'
text += '\n'.join(array(number, content) for number, (_, content) in enumerate(files))
text += '\nconst struct panel_file panel_files[] = {\n'
for number, (name, content) in enumerate(files):
    tag = hashlib.sha256(content).hexdigest()[:16]
    text += f'        {{"{name}", "{TYPES[Path(name).suffix]}", "\\"{tag}\\"", file_{number}, sizeof file_{number}}},\n'
text += '        {0}};\n'
Path(out).write_text(text)
