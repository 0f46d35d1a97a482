# SPDX-License-Identifier: Apache-2.0
"""The rules of the house that a compiler does not know, each a named test case (TAP).

usage: check.py ROOT CC...        CC... is the compiler's command, for the rule that compiles each header alone
"""

import ast
import fnmatch
import io
import itertools
import re
import shutil
import subprocess
import sys
import tokenize
from dataclasses import dataclass, field
from pathlib import Path

ROOMS = {'handlers': {'handlers', 'server', 'model'}, 'server': {'server', 'model'}, 'model': {'model'}}
SPDX = 'SPDX-License-Identifier: Apache-2.0'
FILE_LINES = 600
FUNCTION_LINES = 60

# Files beside model/json.[ch] that read or write a document.
DOCUMENTS = set('''
    handlers/answer.c model/connection.c model/dialect_courier.c model/dialect_dukkango.c model/dialect_getiryemek.c
    model/dialect_migrosyemek.c model/dialect_trendyolyemek.c model/dialect_yemeksepeti.c model/erasure.c model/event.c model/integration.c
    model/mongo_bson.c model/order.c model/order_erase.c model/order_read.c model/poll.c model/poll_dukkango.c model/reason.c model/record.c
    model/restaurant.c model/target.c model/token.c model/yandex_order.c server/copy.c
'''.split())

# library: (its header, the names it puts into a program, the files that may know it, as patterns)
LIBRARIES = {
    'libmicrohttpd': (r'microhttpd\.h', r'MHD_\w+', {'server/http.c', 'server/http_private.h'}),
    'libcurl': (r'curl/\w+\.h', r'curl_\w+|CURL\w*', {'server/client.c', 'server/transfer.[ch]', 'server/url.[ch]'}),
    'SQLite': (r'sqlite3\.h', r'sqlite3\w*', {'model/store_sqlite.[ch]', 'model/sqlite_*.c'}),
    'libmongoc': (r'mongoc/\w+\.h', r'(?:mongoc|bson)_\w+|(?:MONGOC|BSON|BCON)_\w+', {'model/store_mongo.[ch]', 'model/mongo_*.c'}),
    'OpenSSL': (r'openssl/\w+\.h', r'(?:EVP|RAND|CRYPTO|HMAC|OPENSSL|OSSL|SSL)_\w+', {'model/crypto.c', 'server/tls.c'}),
    'libwslay': (r'wslay/\w+\.h', r'wslay_\w+|WSLAY_\w+', {'server/wire.[ch]'}),
    'json-c': (r'json-c/\w+\.h', r'json_(?:object|tokener)_\w+', {'model/json.c', 'model/json.h', 'model/json_value.c'} | DOCUMENTS),
}

# word: what to write instead
BANNED_CALLS = {
    'strcmp': 'streq()', 'sprintf': 'snprintf()', 'strcpy': 'a bounded copy',
    'strcat': 'a bounded copy', 'strtol': 'a checked reader', 'atoi': 'a checked reader',
    'sleep': 'waiting for the event', 'usleep': 'waiting for the event',
}
UNFINISHED = r'\b(?:TO' r'DO|FIX' r'ME|X' r'XX|HA' r'CK|not imple' r'mented)\b'
# Paths of somebody's machine, and hosts of package registries: the tree stands alone. Debian's engine is named as a host
# is; the host has something before or behind it.
PLACES = (r'/(?:work|home|root)/|\.lib' r'rary\b|\b(?:pypi|crates|rubygems)\.(?:org|io)\b|pythonhosted\.org'
          r'|registry\.npmjs|proxy\.golang\.org|(?:deb|snapshot|ftp)\.debian\.org|(?:ghcr|quay)\.io\b'
          r'|\.docker\.io\b|\bdocker\.io/')

NO_FUNCTION = r'[A-Z_]+\(|typedef\b|_Static_assert\b|(?:struct|union|enum)[^(]*\{'

RULES = {}


def rule(check):
    """Registers a rule: a function of the tree that yields its breaches. Its docstring is its promise."""
    RULES[check.__name__] = check
    return check


@dataclass
class Source:
    """One text file: `code` is its text with C comments and the insides of C strings blanked, line for line."""
    name: str
    text: str
    code: str = field(init=False)
    line_comments: list = field(init=False)

    def __post_init__(self):
        self.code, self.line_comments = blank_c(self.text) if self.is_c else (self.text, [])

    @property
    def is_c(self):
        return self.name.endswith(('.c', '.h'))

    @property
    def room(self):
        return self.name.split('/')[0]

    @property
    def lines(self):
        return self.text.splitlines()

    def at(self, offset):
        return f'{self.name}:{self.text.count(chr(10), 0, offset) + 1}'


class Tree:
    """Every text file below a folder but what git ignores here."""
    LEFT_OUT = {'.git', 'build', '__pycache__', '.pytest_cache'}

    def __init__(self, root, compiler=('cc',)):
        self.root = Path(root)
        self.compiler = list(compiler)
        self.files = [Source(name, text) for name, text in sorted(self._texts())]

    def _texts(self):
        for path in self.root.rglob('*'):
            name = path.relative_to(self.root)
            if path.is_file() and not self.LEFT_OUT & set(name.parts):
                data = path.read_bytes()
                if b'\0' not in data:
                    yield name.as_posix(), data.decode('utf-8', 'replace')

    def c(self):
        return [source for source in self.files if source.is_c]

    def named(self, *endings):
        return [source for source in self.files if source.name.endswith(endings)]

    def text(self, name):
        """Of the file with this name; of one that is not there, none."""
        return next((source.text for source in self.files if source.name == name), '')

    def scripts(self):
        return [source for source in self.files if source.text.startswith('#!')]


C_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank_c(text):
    """The text without comments and string contents, and the offsets of its line comments."""
    line_comments = []

    def blank(match):
        token = match[0]
        if token.startswith('//'):
            line_comments.append(match.start())
        if token[0] in '"\'':
            return token[0] + ' ' * (len(token) - 2) + token[0]
        return re.sub(r'[^\n]', ' ', token)

    return C_TOKEN.sub(blank, text), line_comments


def statements(source):
    """(first line, text) of each statement outside braces; a braced part counts as `{}`. Lines count from 0."""
    code = re.sub(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', lambda m: re.sub(r'[^\n]', ' ', m[0]), source.code, flags=re.M)
    depth, start, piece = 0, None, ''
    for offset, char in enumerate(code):
        if start is None and not char.isspace():
            start = code.count('\n', 0, offset)
        depth += (char == '{') - (char == '}')
        if depth == 0:
            piece += '{}' if char == '}' else char
        ends_body = char == '}' and depth == 0 and re.search(r'\)\s*\{\}$', piece)
        if start is not None and depth == 0 and (char == ';' or ends_body):
            yield start, ' '.join(piece.split())
            start, piece = None, ''


@rule
def layering(tree):
    """handlers -> server -> model; of server/ only main.c knows handlers/; includes name the room."""
    for source in tree.c():
        allowed = ROOMS['handlers'] if source.name == 'server/main.c' else ROOMS.get(source.room)
        for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]*)"', source.text, re.M):
            included = match[1]
            if not (tree.root / included).is_file():
                yield f'{source.at(match.start())}: "{included}" is not a file of a room'
            elif allowed is not None and included.split('/')[0] not in allowed:
                yield f'{source.at(match.start())}: {source.room}/ may not include "{included}"'


@rule
def one_owner_for_each_library(tree):
    """A third-party header, and the names it brings, stay in one file; json-c in a short list."""
    for source in tree.c():
        if source.room not in ROOMS:
            continue
        for library, (header, names, owners) in LIBRARIES.items():
            if any(fnmatch.fnmatchcase(source.name, owner) for owner in owners):
                continue
            places = list(re.finditer(rf'#[ \t]*include[ \t]*<{header}>|\b(?:{names})\b', source.code))
            if places:
                yield (f'{source.at(places[0].start())}: {library} ({len(places)} places) belongs to '
                       f'{", ".join(sorted(owners))}')


def include_flags():
    """Where the library is whose headers stand in a folder of their own."""
    done = subprocess.run(['pkg-config', '--cflags', 'libmongoc-1.0'], text=True, capture_output=True)
    return done.stdout.split()


@rule
def headers_compile_alone(tree):
    """Each header brings what it needs, and may be included twice."""
    command = [*tree.compiler, '-std=gnu17', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-fsyntax-only',
               '-I', str(tree.root), *include_flags(), '-x', 'c', '-']
    for source in tree.named('.h'):
        if '#pragma once' not in source.text:
            yield f'{source.name}:1: no #pragma once'
        done = subprocess.run(command, input=f'#include "{source.name}"\n' * 2, text=True, capture_output=True)
        if done.returncode != 0:
            yield f'{source.name}:1: does not compile alone: {done.stderr.strip().splitlines()[0]}'


@rule
def clang_format_has_nothing_to_say(tree):
    """The layout is what clang-format makes of it."""
    if not tree.c():
        return
    if not shutil.which('clang-format'):
        yield 'clang-format is missing: tools/deps check installs it'
        return
    command = ['clang-format', '--style=file', '--dry-run', '-Werror', *(source.name for source in tree.c())]
    done = subprocess.run(command, cwd=tree.root, text=True, capture_output=True)
    places = re.findall(r'^(.+?):(\d+):\d+: (?:error|warning): ', done.stderr, re.M)
    for name, found in itertools.groupby(places, key=lambda place: place[0]):
        yield f'{name}: clang-format -i changes lines {", ".join(dict.fromkeys(line for _, line in found))}'
    if done.returncode != 0 and not places:
        yield f'clang-format ended with {done.returncode}: {done.stderr[:200]}'


@rule
def no_banned_words(tree):
    """Calls that end badly, jumps, line comments, sleeps, unfinished work."""
    calls = '|'.join(BANNED_CALLS)
    for source in tree.c():
        for match in re.finditer(rf'(?<!\w)({calls})\s*\(', source.code):
            if (source.name, match[1]) == ('model/text.c', 'strcmp'):   # streq() itself
                continue
            yield f'{source.at(match.start())}: {match[1]}(): use {BANNED_CALLS[match[1]]}'
        for match in re.finditer(r'\bgoto\b', source.code):
            yield f'{source.at(match.start())}: goto: clean up by attribute'
        for offset in source.line_comments:
            yield f'{source.at(offset)}: a // comment: a why is /* */, a private note is none'
    for source in tree.named('.py'):
        for name, bracket in pairs(tokens(source)):
            if name.string == 'sleep' and bracket.string == '(':
                yield f'{source.name}:{name.start[0]}: sleep(): wait for the event'
    for source in tree.files:
        for match in re.finditer(UNFINISHED, source.text):
            yield f'{source.at(match.start())}: {match[0]}: finish it or take it out'


def tokens(source):
    return list(tokenize.generate_tokens(io.StringIO(source.text).readline))


def pairs(items):
    return zip(items, items[1:])


@rule
def files_are_short(tree):
    """A file is one noun: at most 600 lines."""
    for source in {s.name: s for s in tree.named('.c', '.h', '.py') + tree.scripts()}.values():
        if len(source.lines) > FILE_LINES:
            yield f'{source.name}:{FILE_LINES + 1}: {len(source.lines)} lines'


@rule
def functions_fit_a_screen(tree):
    """A function is at most 60 lines, signature included."""
    for source in tree.c():
        for first, last in c_functions(source):
            if last - first + 1 > FUNCTION_LINES:
                yield f'{source.name}:{first + 1}: a function of {last - first + 1} lines'
    for source in tree.named('.py'):
        for node in ast.walk(ast.parse(source.text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = node.end_lineno - node.lineno + 1
                if length > FUNCTION_LINES:
                    yield f'{source.name}:{node.lineno}: {node.name} has {length} lines'


def c_functions(source):
    """(first, last) line of each function: by our layout its braces stand alone in column 0."""
    lines = source.code.splitlines()
    opened = None
    for number, line in enumerate(lines):
        if line.rstrip() == '{':
            opened = number
            while opened > 0 and re.match(r'[^#\s].*[^;}]\s*$|\s+\S.*[^;}]\s*$', lines[opened - 1]):
                opened -= 1
        elif line.rstrip() == '}' and opened is not None:
            yield opened, number
            opened = None


@rule
def every_file_says_what_it_is(tree):
    """The licence line; then, in C, the file's name and its one sentence."""
    for source in tree.c():
        lines = source.lines + ['', '']
        name = source.name.split('/')[-1]
        if lines[0] != f'/* {SPDX} */':
            yield f'{source.name}:1: the first line is not /* {SPDX} */'
        elif not lines[1].startswith(f'/* {name} - '):
            yield f'{source.name}:2: the second line does not begin with /* {name} - '
    for source in tree.scripts() + tree.named('.py', 'meson.build'):
        if f'# {SPDX}' not in source.lines[:2]:
            yield f'{source.name}:1: no # {SPDX} in its first two lines'


@rule
def the_tree_stands_alone(tree):
    """No path of somebody's machine, no package registry's host."""
    for source in tree.files:
        for match in re.finditer(PLACES, source.text):
            yield f'{source.at(match.start())}: {match[0]}'


@rule
def public_functions_have_a_contract(tree):
    """Above a function in a header, in the same block of lines, or behind it, stands a comment."""
    for source in tree.named('.h'):
        if source.room not in ROOMS:
            continue
        lines = source.lines
        for first, text in statements(source):
            if not re.search(r'\w\s*\(', text) or re.match(NO_FUNCTION, text):
                continue
            block = itertools.chain(itertools.takewhile(str.strip, reversed(lines[:first])), [lines[first]])
            if not any(line.rstrip().endswith('*/') for line in block):
                yield f'{source.name}:{first + 1}: no contract above {text[:60]}'


@rule
def everything_is_built(tree):
    """Each source and each test is named in a meson.build: a file that nothing runs is no test."""
    lists = {name: (tree.root / name).read_text() if (tree.root / name).is_file() else ''
             for name in ('meson.build', 'tests/meson.build')}
    for source in tree.files:
        match = re.fullmatch(r'(?:(model|server|handlers)/|tests/(?:unit|contract)/|tests/e2e/(?=test_))(\w+)\.(c|py)',
                             source.name)
        if not match or source.name == 'server/main.c':
            continue
        where = 'meson.build' if match[1] else 'tests/meson.build'
        if not re.search(rf"'(?:\w+/)?{match[2]}(?:\.{match[3]})?'", lists[where]):
            yield f'{source.name}:1: {where} does not name it'


def anchors(markdown):
    """How the headings are linked to."""
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in re.findall(r'^#+ (.*)', markdown, re.M)}


@rule
def documents_are_there(tree):
    """A document that is named is there, and so are the section named with it and what a .md links to."""
    for source in tree.files:
        for match in re.finditer(r'\bdocs/(\w+)\.md(?: (\d+))?', source.text):
            document = tree.text(f'docs/{match[1]}.md')
            if not document or match[2] and not re.search(rf'^## {match[2]}\.', document, re.M):
                yield f'{source.at(match.start())}: no {match[0]}'
    for source in tree.named('.md'):
        for match in re.finditer(r'\]\(([^)#\s]*)(?:#([^)\s]*))?\)', source.text):
            path = (tree.root / source.name).parent.joinpath(match[1]) if match[1] else tree.root / source.name
            if '://' in match[1]:
                continue
            if not path.exists() or match[2] and match[2] not in anchors(path.read_text(encoding='utf-8')):
                yield f'{source.at(match.start())}: {match[0][2:-1]} is not there'


def routes_of(text):
    """Each `METHOD path` of the tables in handlers/routes.c, where a path may be made of #defines."""
    words = {}

    def joined(expression):
        return ''.join(part[1:-1] if part[0] == '"' else words.get(part, '')
                       for part in re.findall(r'"[^"]*"|\w+', expression))

    for match in re.finditer(r'^#define (\w+) (["\w].*)', text, re.M):
        words[match[1]] = joined(match[2])
    rows = re.finditer(r'^ +(\w*)[({](?:"([A-Z]+)", )?([^,()=]+),', text, re.M)
    return {f'{row[2] or row[1]} {joined(row[3])}' for row in rows}


@rule
def the_api_is_documented(tree):
    """docs/api.md names every route, and no other; and every text by which an error is told."""
    document = tree.text('docs/api.md')
    written = set(re.findall(r'`([A-Z]+ /[^`\s]*)`', document))
    there = routes_of(tree.text('handlers/routes.c'))
    for route in sorted(there ^ written):
        yield f'docs/api.md: {route} ' + ('is not named' if route in there else 'is no route')
    for text in re.findall(r'^ +X\(\w+, \d+, "[^"]*", \w+,[\s\\]*"([^"]+)"', tree.text('model/err.h'), re.M):
        if text.partition('%')[0] not in document:
            yield f'docs/api.md: {text!r} is not named'


@rule
def settings_that_are_named_exist(tree):
    """A KURYE_ name in a .md is a setting of server/config.c, or the _FILE of a secret."""
    rows = re.findall(r'^ +\{"([A-Z_]+)", (\w+),', tree.text('server/config.c'), re.M)
    names = {name for name, _ in rows} | {f'{name}_FILE' for name, kind in rows if kind == 'SECRET'}
    for source in tree.named('.md'):
        for match in re.finditer(r'\bKURYE_([A-Z]\w*)', source.text):
            if match[1] not in names:
                yield f'{source.at(match.start())}: {match[0]} is no setting'


def events_in(tree):
    """{event: (levels, fields, causes)} of all calls of the log; causes is None where a line is never left out."""
    events = {}
    for source in tree.c():
        if source.room not in ROOMS or source.name in ('server/log.c', 'server/log.h'):
            continue
        for match in re.finditer(r'\blog_(event|limited)\(', source.code):
            depths = itertools.accumulate((c == '(') - (c == ')') for c in source.code[match.end() - 1:])
            end = match.end() + next((n for n, depth in enumerate(depths) if depth == 0), 0)
            call = source.text[match.end():end]
            event = re.search(r'"(\w+)"', call)[1]
            levels, fields, causes = events.setdefault(event, (set(), set(), set() if match[1] == 'limited' else None))
            levels |= {level.lower() for level in re.findall(r'\bLOG_(DEBUG|INFO|WARN|ERROR)\b', call)}
            for kind, name in re.findall(r'\bLOG_(TEXT|INT|ID|CAUSE)\(\s*"(\w+)"', call):
                fields.add(name)
                if kind == 'CAUSE' and causes is not None:
                    causes.add(name)
    return events


@rule
def every_event_of_the_log_is_documented(tree):
    """docs/logs.md has every event of the code with its levels, fields and causes, and no other."""
    there, written = events_in(tree), {}
    for row in re.finditer(r'^\| `(\w+)` \|([^|]*)\|([^|]*)\|([^|]*)\|[^|]*\w[^|]*\|[^|]*\|$', tree.text('docs/logs.md'), re.M):
        levels, fields, causes = (set(re.findall(r'\w+', cell)) for cell in row.groups()[1:])
        written[row[1]] = (levels, fields, None if 'never' in causes else causes - {'all'})
    for event in sorted(set(there) | set(written)):
        if there.get(event) != written.get(event):
            yield f'docs/logs.md: {event}: the code has {there.get(event)}, the page {written.get(event)}'


@rule
def what_operators_are_told_to_run_is_run(tree):
    """Each block of commands in docs/operations.md is named by a test that runs it, or says why none does."""
    document = tree.text('docs/operations.md')
    ran = {name for source in tree.files if re.match(r'tests/e2e/.*\.py$', source.name)
           for name in re.findall(r'\b_?(?:block|runs|updates)\("([\w-]+)"', source.text)}
    named = set(re.findall(r'^<!-- run: ([\w-]+) -->$', document, re.M))
    lines = document.splitlines()
    for number, (before, line) in enumerate(zip([''] + lines, lines), 1):
        if re.match(r'```[a-z]', line) and not re.match(r'<!-- (?:run: [\w-]+|not run: .+) -->$', before):
            yield f'docs/operations.md:{number}: neither `<!-- run: NAME -->` nor `<!-- not run: why -->` before it'
    for name in sorted(ran ^ named):
        yield f'docs/operations.md: {name} ' + ('is no block' if name in ran else 'is run by no test')


def tests_in(source):
    """The names of its tests, `Class::method` for a method: in C what a table of tests names, of the model its guards."""
    if source.name.endswith('.pml'):
        return set(re.findall(r'\bWITHOUT_(\w+)', source.text))
    if source.is_c:
        return set(re.findall(r'\(\s*(\w+)\s*[,)]', source.code))
    found = set()
    for node in ast.parse(source.text).body:
        methods = node.body if isinstance(node, ast.ClassDef) else []
        found |= {f'{node.name}::{one.name}' for one in methods if isinstance(one, ast.FunctionDef)}
        found |= {node.name} if isinstance(node, ast.FunctionDef) else set()
    return found


def are_no_tests(tree, names):
    """Those of the names that no test below tests/ bears."""
    tests = {source.name: tests_in(source) for source in tree.files if re.match(r'tests/.*\.(c|py|pml)$', source.name)}
    return [name for name in names if name.partition('::')[2] not in tests.get(f"tests/{name.partition('::')[0]}", ())]


@rule
def what_is_claimed_is_shown(tree):
    """A numbered row of docs/conformance.md names files, and tests that are there; P and B on both stores."""
    files = {source.name: source for source in tree.files}
    rows = {}
    for number, line in enumerate(tree.text('docs/conformance.md').splitlines(), 1):
        cells = [cell.strip() for cell in line.split('|')]
        if re.match(r'\| [\dPB]\.\d+ \|', line):
            rows[number] = [cells[1], *(re.findall(r'`([^`]+)`', cell) for cell in (cells[3:] + ['', ''])[:2])]
    gone = are_no_tests(tree, {name for _, _, shown in rows.values() for name in shown})
    both = re.search(r'^e2e_tests = \[([^]]*)', tree.text('tests/meson.build'), re.M)
    for number, (row, where, shown) in rows.items():
        wrong = [name for name in where if name not in files] + [name for name in shown if name in gone]
        if row[0] in 'PB':
            wrong += [name for name in shown if f"'{name.partition('.')[0].removeprefix('e2e/')}'" not in both[1]]
        if wrong or not where or not shown:
            yield f'docs/conformance.md:{number}: {", ".join(wrong) or "no file or no test"}'


@rule
def what_is_promised_is_shown(tree):
    """Each row of a table of promises in docs/reliability.md names tests, and all of them are there."""
    rows, promises = {}, False
    for number, line in enumerate(tree.text('docs/reliability.md').splitlines(), 1):
        promises = line.startswith('|') and (promises or line == '| promise | shown by |')
        if promises and not re.match(r'\| (promise|---) \|', line):
            rows[number] = re.findall(r'`([^`]+)`', line.split(' | ')[-1])
    gone = are_no_tests(tree, {name for shown in rows.values() for name in shown})
    for number, shown in rows.items():
        wrong = [name for name in shown if name in gone]
        if wrong or not shown:
            yield f'docs/reliability.md:{number}: {", ".join(wrong) or "no test"}'


@rule
def the_model_is_of_the_code(tree):
    """What tests/model/protocol.pml says it is a model of is named in the code, and the other way round; each guard is tried."""
    def names(text):
        marks = re.findall(r'model:([ ,a-z\n*]+?)(?:\*/|[:.)])', text)
        return {' '.join(name.replace('*', ' ').split()) for mark in marks for name in mark.split(',')}

    model, meson = tree.text('tests/model/protocol.pml'), tree.text('tests/meson.build')
    code = set().union(*(names(source.text) for source in tree.c() if source.room in ROOMS))
    for name in sorted(names(model) ^ code):
        yield f'tests/model/protocol.pml: {name!r} is not of ' + ('the model' if name in code else 'the code')
    for guard in sorted(set(re.findall(r'\bWITHOUT_(\w+)', model))):
        if guard.lower().replace('_', ' ') not in names(model) or f"'{guard}'" not in meson:
            yield f'tests/model/protocol.pml: nothing tries it without {guard}'


def main(root, *compiler):
    tree = Tree(root, compiler)
    print(f'1..{len(RULES)}')
    broken = 0
    for number, (name, check) in enumerate(RULES.items(), 1):
        breaches = list(check(tree))
        broken += bool(breaches)
        print(f'{"not ok" if breaches else "ok"} {number} - {name.replace("_", " ")}')
        for breach in breaches:
            print(f'# {breach}')
    return 1 if broken else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
