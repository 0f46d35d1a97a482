#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""guide.py - a page of docs/guide with its examples put in: `[[ping]]` becomes all ping.* in the order of LANGUAGES.

usage: guide.py OUT.html PAGE.html EXAMPLE…
"""

import html
import re
import sys
from pathlib import Path

LANGUAGES = {'.curl': ('bash', 'curl'), '.javascript': ('javascript', 'JavaScript'), '.python': ('python', 'Python'),
             '.php': ('php', 'PHP')}

out, page, *paths = map(Path, sys.argv[1:])
examples = {path.name: path.read_text(encoding='utf-8') for path in paths}


def figure(name, suffix):
    language, shown = LANGUAGES[suffix]
    code = html.escape(examples[name + suffix].rstrip(), quote=False)
    return (f'<figure class="code {suffix[1:]}"><figcaption>{shown}</figcaption><pre tabindex="0">'
            f'<code class="language-{language}" data-runs="{name}{suffix}">{code}</code></pre></figure>')


def figures(match):
    found = [figure(match[1], suffix) for suffix in LANGUAGES if match[1] + suffix in examples]
    if not found:
        sys.exit(f'{page}: no example is called {match[1]}')
    return f'<div class="{"codes" if len(found) > 1 else "alone"}">\n' + '\n'.join(found) + '\n</div>'


out.write_text(re.sub(r'\[\[(\w+)\]\]', figures, page.read_text(encoding='utf-8')), encoding='utf-8')
