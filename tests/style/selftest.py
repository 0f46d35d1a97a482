# SPDX-License-Identifier: Apache-2.0
"""Each rule of check.py catches a breach planted in a small tree, and says nothing about the tree without it (TAP).

usage: selftest.py CC...
"""

import sys
import tempfile
from pathlib import Path

import check

HEAD = f'/* {check.SPDX} */\n'
CLEAN = {
    '.clang-format': (Path(__file__).parents[2] / '.clang-format').read_text(),
    'meson.build': f"# {check.SPDX}\nmodel_files = ['a']\nserver_files = ['b', 'config']\nhandler_files = ['c', 'routes']\n",
    'tests/meson.build': f"# {check.SPDX}\nunit_tests = ['a']\ne2e_tests = ['test_a']\nothers = ['test_b', 'A_WEIGHT']\n",
    'model/a.h': HEAD + '/* a.h - one. */\n#pragma once\n\n'
                 'struct pair {\n        int (*sum)(int);\n};\n\n/* Adds. */\nint a_add(int x);\nint a_more(int x);\n',
    'model/a.c': HEAD + '/* a.c - one; see https://example.org. model: add, a weight */\n#include "model/a.h"\n\nint a_add(int x)\n{\n'
                 '        return x + (int)sizeof("// no comment, and strcmp(a, b)");\n}\n',
    'server/b.c': HEAD + '/* b.c - two. */\n#include "model/a.h"\n\nvoid b(void)\n{\n'
                  '        log_event(LOG_INFO, "began");\n'
                  '        log_limited(x(1) ? LOG_WARN : LOG_ERROR, "broke", LOG_CAUSE("of", ")"), LOG_INT("n", 1));\n'
                  '        log_limited(LOG_WARN, "broke", LOG_CAUSE("of", ""), LOG_ID("orderId", y));\n'
                  '        log_limited(LOG_WARN, "missed", LOG_TEXT("why", ""));\n}\n',
    'server/main.c': HEAD + '/* main.c - start. */\n#include "handlers/c.h"\n',
    'handlers/c.c': HEAD + '/* c.c - three. */\n#include "handlers/c.h"\n\n#include "model/a.h"\n',
    'handlers/c.h': HEAD + '/* c.h - three. */\n#pragma once\n',
    'handlers/routes.c': HEAD + '/* routes.c - four. */\n#include "handlers/c.h"\n\n#define ONE "/one/{id}"\n\n'
                         'const struct route routes[] = {\n        GET(ONE "/two", c),\n'
                         '        {"POST", "/three", c},\n};\n',
    'server/config.c': HEAD + '/* config.c - five. */\n'
                       'static const struct setting settings[] = {\n        {"A", TEXT, 1},\n'
                       '        {"B", SECRET, 2},\n};\n',
    'model/err.h': HEAD + '/* err.h - six. */\n#pragma once\n\n#define ERR_TABLE(X)                \\\n'
                   '        X(OK, 200, "OK", false, "") \\\n        X(ONE, 400, "Bad Request", false, '
                   '"x: a text that is long enough to stand in a line of its own, %s")\n',
    'docs/api.md': '## 1. All\n\n`GET /one/{id}/two`, `POST /three`;\n'
                   '"x: a text that is long enough to stand in a line of its own, <path>";\n'
                   '[more](../README.md), [away](https://a.b/c)\n',
    'docs/logs.md': '| event | level | fields | each | means | do |\n| --- | --- | --- | --- | --- | --- |\n'
                    '| `began` | info | | never left out | it began | |\n'
                    '| `broke` | warn, error | `of`, `n`, `orderId` | of | it broke | mend it |\n'
                    '| `missed` | warn | `why` | all | missed | |\n',
    'docs/conformance.md': '| # | says | file | test |\n| --- | --- | --- | --- |\n'
                           '| 0.1 | a | `model/a.c` | `unit/a.c::adds` |\n'
                           '| P.1 | b | `server/b.c` | `e2e/test_a.py::test_a`, `e2e/test_a.py::TestB::test_c` |\n',
    'docs/reliability.md': '| promise | shown by |\n| --- | --- |\n| a or `b` | `unit/a.c::adds` |\n'
                           '| c | `e2e/test_a.py::TestB::test_c`, `model/protocol.pml::A_WEIGHT` |\n\n| more |\n| --- |\n| d |\n',
    'README.md': 'docs/api.md 1 says it; so does [it](docs/api.md#1-all). KURYE_A, KURYE_B_FILE, and every KURYE_ name\n',
    'tests/unit/a.c': HEAD + '/* a.c - tests. */\n#include "model/a.h"\n\n'
                      'static const struct CMUnitTest tests[] = {cmocka_unit_test(adds)};\n',
    'tests/e2e/test_a.py': f'# {check.SPDX}\ndef test_a():\n    assert "sleep(1)"\n\n\n'
                           'class TestB:\n    def test_c(self):\n        pass\n',
    'tests/e2e/test_b.py': f'# {check.SPDX}\ndef test_b():\n    runs("one")\n',
    'docs/operations.md': '<!-- run: one -->\n```sh\nls\n```\n\n<!-- not run: it is long -->\n```js\n1\n```\n',
    'tests/model/protocol.pml': '#ifdef WITHOUT_A_WEIGHT /* model: a weight */\n/* model: add */\n',
    'tools/go': f'#!/bin/sh\n# {check.SPDX}\n',
}


def c(name, body):
    return HEAD + f'/* {name} - planted. */\n' + body


def body_of(lines):
    return 'int f(void)\n{\n' + '        f();\n' * lines + '}\n'


# (rule, what is planted, {file: text})
PLANTS = [
    ('layering', 'model/ includes server/', {'model/a.c': c('a.c', '#include "handlers/c.h"\n')}),
    ('layering', 'server/ includes handlers/', {'server/b.c': c('b.c', '#include "handlers/c.h"\n')}),
    ('layering', 'an include without its room', {'model/a.c': c('a.c', '#include "a.h"\n')}),
    *(('one_owner_for_each_library', f'<{header}> in server/b.c',
       {'server/b.c': c('b.c', f'#include <{header}>\n')})
      for header in ('microhttpd.h', 'curl/curl.h', 'sqlite3.h', 'openssl/evp.h', 'json-c/json.h')),
    ('one_owner_for_each_library', "a library's name without its header",
     {'server/b.c': c('b.c', 'struct sqlite3;\n')}),
    ('headers_compile_alone', 'a header that needs another', {'model/a.h': c('a.h', '#pragma once\nsize_t n(void);\n')}),
    ('headers_compile_alone', 'a header without its pragma', {'model/a.h': c('a.h', '')}),
    ('clang_format_has_nothing_to_say', 'a layout of its own', {'model/a.c': c('a.c', 'int  x;\n')}),
    *(('no_banned_words', word, {'model/a.c': c('a.c', f'int f(void)\n{{\n        {word}\n}}\n')})
      for word in ('strcmp(a, b);', 'sprintf(a, b);', 'strcpy(a, b);', 'strcat(a, b);', 'strtol (a, b);', 'atoi(a);',
                   'goto out;', '// a private note', 'x("a"); // "b"', 'sleep(1);', 'usleep(1);',
                   '/* TO' 'DO */', '/* FIX' 'ME */', '/* X' 'XX */', '/* HA' 'CK */')),
    ('no_banned_words', 'sleep in Python', {'tests/e2e/test_a.py': 'import time\ntime.sleep(1)\n'}),
    ('no_banned_words', 'unfinished work in a text', {'README.md': 'TO' 'DO: all\n'}),
    ('files_are_short', '601 lines of C', {'model/a.c': '\n' * 601}),
    ('files_are_short', '601 lines of Python', {'tests/e2e/test_a.py': '\n' * 601}),
    ('files_are_short', '601 lines of shell', {'tools/go': '#!/bin/sh' + '\n' * 601}),
    ('functions_fit_a_screen', '61 lines of C', {'model/a.c': body_of(58)}),
    ('functions_fit_a_screen', '61 lines of C, two of them signature',
     {'model/a.c': 'int g(int a,\n      int b)\n{\n' + '        f();\n' * 57 + '}\n'}),
    ('functions_fit_a_screen', '61 lines of Python', {'tests/e2e/test_a.py': 'def f():\n' + '    f()\n' * 60}),
    ('every_file_says_what_it_is', 'C without its licence', {'model/a.c': '/* a.c - one. */\n'}),
    ('every_file_says_what_it_is', 'C that names another file', {'model/a.c': c('b.c', '')}),
    ('every_file_says_what_it_is', 'Python without its licence', {'tests/e2e/test_a.py': 'x = 1\n'}),
    ('every_file_says_what_it_is', 'a script without its licence', {'tools/go': '#!/bin/sh\n'}),
    *(('the_tree_stands_alone', place.replace('/', ' '), {'README.md': f'see {place}\n'})
      for place in ('/wo' 'rk/main', '/ro' 'ot/x', '/ho' 'me/ada/x', 'x/.lib' 'rary/y', 'https://py' 'pi.org/x',
                    'https://registry.np' 'mjs.org/', 'https://proxy.go' 'lang.org/')),
    ('public_functions_have_a_contract', 'a bare prototype',
     {'model/a.h': c('a.h', '\n/* One. */\nint x(void);\n\nint y(void);\n')}),
    ('public_functions_have_a_contract', 'a bare inline function',
     {'model/a.h': c('a.h', '\nstatic inline int\nx(void)\n{\n        return 1;\n}\n')}),
    *(('what_operators_are_told_to_run_is_run', what, {'docs/operations.md': text})
      for what, text in (('a block that says nothing', '<!-- run: one -->\n```sh\nls\n```\n\n```sh\nls\n```\n'),
                         ('one that no test runs', '<!-- run: one -->\n```sh\n```\n<!-- run: two -->\n```sh\n```\n'),
                         ('a test of none', 'Text\n'))),
    ('documents_are_there', 'a document that is not', {'model/a.c': c('a.c', '/* see docs/' 'gone.md */\n')}),
    ('documents_are_there', 'a section that is not', {'model/a.c': c('a.c', '/* see docs/' 'api.md 2 */\n')}),
    ('documents_are_there', 'a link to nothing', {'README.md': '[here](gone.c)\n'}),
    ('documents_are_there', 'a link to no heading', {'README.md': '# Here\n[there](#there)\n'}),
    ('the_api_is_documented', 'a route that is not named',
     {'handlers/routes.c': CLEAN['handlers/routes.c'].replace('};', '        GET("/four", c),\n};')}),
    ('the_api_is_documented', 'a route that is none',
     {'docs/api.md': CLEAN['docs/api.md'] + '`POST /one/{id}/two`\n'}),
    ('the_api_is_documented', 'a text that is not named', {'model/err.h': CLEAN['model/err.h'].replace('x:', 'y:')}),
    *(('every_event_of_the_log_is_documented', what, {'docs/logs.md': CLEAN['docs/logs.md'].replace(old, new)})
      for what, old, new in (
          ('an event that is not on the page', '| `began` | info | | never left out | it began | |\n', ''),
          ('an event that nobody logs', '| `began`', '| `ended` | info | | all | it ended | |\n| `began`'),
          ('a level that is another', '| `missed` | warn', '| `missed` | error'),
          ('a field that is not on the page', '`n`, ', ''),
          ('a field that is not in the code', '`n`', '`n`, `m`'),
          ('a cause that is none', '| of |', '| of, n |'),
          ('a limit that is none', '| never left out |', '| all |'),
          ('an event without a meaning', '| it began |', '| |'))),
    ('settings_that_are_named_exist', 'a setting that is none', {'README.md': 'KURYE_C\n'}),
    ('settings_that_are_named_exist', 'a file of what is no secret', {'README.md': 'KURYE_A_FILE\n'}),
    *(('what_is_claimed_is_shown', what, {'docs/conformance.md': f'| {row} |\n'}) for what, row in (
        ('a file that is not', '1.1 | a | `model/gone.c` | `unit/a.c::adds`'),
        ('a test that is not', '1.1 | a | `model/a.c` | `unit/a.c::takes`'),
        ('a method of another class', '1.1 | a | `model/a.c` | `e2e/test_a.py::TestC::test_c`'),
        ('a row without a file', '1.1 | a | - | `unit/a.c::adds`'),
        ('a row without a test', '1.1 | a | `model/a.c` |'),
        ("a platform's test that one store runs", 'P.1 | a | `model/a.c` | `e2e/test_b.py::test_b`'))),
    *(('what_is_promised_is_shown', what, {'docs/reliability.md': f'| promise | shown by |\n| --- | --- |\n{row}\n'}) for what, row in (
        ('a promise without a test', '| a `unit/a.c::adds` | we hope so |'),
        ('a test that is not', '| a | `unit/a.c::adds`, `unit/a.c::takes` |'),
        ('a file that is not', '| a | `unit/b.c::adds` |'),
        ('a guard that the model has not', '| a | `model/protocol.pml::A_HEIGHT` |'))),
    ('the_model_is_of_the_code', 'a step that no code has', {'tests/model/protocol.pml':
     CLEAN['tests/model/protocol.pml'] + '/* model: take away */\n'}),
    ('the_model_is_of_the_code', 'code whose model is gone', {'model/a.c': CLEAN['model/a.c'] + '/* model: more */\n'}),
    ('the_model_is_of_the_code', 'a guard that is never taken away', {'tests/meson.build':
     CLEAN['tests/meson.build'].replace('A_WEIGHT', '')}),
    ('everything_is_built', 'a source that nobody builds', {'model/d.c': c('d.c', '')}),
    ('everything_is_built', 'a unit test that nobody runs', {'tests/unit/d.c': c('d.c', '')}),
    ('everything_is_built', 'an e2e test that nobody runs', {'tests/e2e/test_d.py': ''}),
]


def breaches(rule, planted, compiler):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (CLEAN | planted).items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return list(check.RULES[rule](check.Tree(folder, compiler)))


def cases(compiler):
    """(what it shows, whether it held, what was said)"""
    for rule in check.RULES:
        said = breaches(rule, {}, compiler)
        yield f'{rule} is silent about a clean tree', not said, said
    for rule, what, planted in PLANTS:
        said = breaches(rule, planted, compiler)
        yield f'{rule} catches {what}', len(said) == 1, said
    untested = set(check.RULES) - {rule for rule, _, _ in PLANTS}
    yield 'every rule has a planted breach', not untested, sorted(untested)


def main(*compiler):
    results = list(cases(compiler))
    print(f'1..{len(results)}')
    for number, (what, held, said) in enumerate(results, 1):
        print(f'{"ok" if held else "not ok"} {number} - {what}')
        if not held:
            print(*(f'# said: {line}' for line in said or ['nothing']), sep='\n')
    return 0 if all(held for _, held, _ in results) else 1


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
