#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed.py - files as one C file, a list of struct asset, so that the binary needs nothing beside itself.

usage: embed.py NAME OUT.c FILE…        NAME is the list's, as handlers/asset.h declares it
"""

import hashlib
import sys
from pathlib import Path

TYPES = {'.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml',
         '.js': 'text/javascript; charset=utf-8', '.yaml': 'application/yaml'}   # the last one: RFC 9512


def array(number, content):
    rows = [', '.join(str(byte) for byte in content[at:at + 24]) for at in range(0, len(content), 24)]
    return f'static const unsigned char file_{number}[] = {{\n' + ',\n'.join(rows) + '};\n'


name, out, *paths = sys.argv[1:]
files = [(Path(path).name, Path(path).read_bytes()) for path in paths]
text = '/* Made by tools/embed.py. */\n#include "handlers/asset.h"\n\n'
text += '\n'.join(array(number, content) for number, (_, content) in enumerate(files))
text += f'\nconst struct asset {name}[] = {{\n'
for number, (file, content) in enumerate(files):
    tag = hashlib.sha256(content).hexdigest()[:16]
    text += f'        {{"{file}", "{TYPES[Path(file).suffix]}", "\\"{tag}\\"", file_{number}, sizeof file_{number}}},\n'
text += '        {0}};\n'
Path(out).write_text(text)
