# SPDX-License-Identifier: Apache-2.0
"""Counts test cases in meson's testlog.json, prints `<passed> <failed>`, and on stderr what failed, within bounds.

A case is a TAP line, or one of pytest's; a program that ended badly without naming a case counts as one failure.
Under CI a skipped case is a failure.
"""

import json
import os
import re
import sys
from collections import Counter

SHOWN_TESTS = 5
FIRST_LINES, LAST_LINES = 40, 60   # shown of a failed test
PYTEST = {'passed': 'passed', 'failed': 'failed', 'error': 'failed', 'errors': 'failed', 'skipped': 'skipped',
          'xfailed': 'skipped', 'xpassed': 'failed'}


def cases(output):
    """How many cases the output of one test program tells of, by outcome."""
    counts = Counter()
    for bad, skip in re.findall(r'^(not )?ok\b(?:[^#\n]*(#\s*skip)?)', output, re.M | re.I):
        counts['skipped' if skip else 'failed' if bad else 'passed'] += 1
    summary = re.findall(r'^=* ?((?:\d+ \w+(?:, )?)+) in [\d.]+s', output, re.M)
    if summary:
        for number, word in re.findall(r'(\d+) (\w+)', summary[-1]):
            counts[PYTEST.get(word, 'told')] += int(number)
    return counts


def tally(test):
    counts = cases(test.get('stdout', ''))
    if test['result'] not in ('OK', 'SKIP') and not counts['failed']:
        counts['failed'] += 1
    if test['result'] == 'SKIP' and not counts['skipped']:
        counts['skipped'] += 1
    if test['result'] == 'OK' and not counts.total():
        counts['passed'] += 1
    return counts


def show(test):
    lines = (test.get('stdout', '') + test.get('stderr', '')).splitlines()
    left_out = len(lines) - FIRST_LINES - LAST_LINES
    if left_out > 0:
        lines[FIRST_LINES:-LAST_LINES] = [f'[{left_out} lines]']
    print(f'--- {test["name"]}: {test["result"]}', *lines, sep='\n', file=sys.stderr)


def main(log):
    with open(log, encoding='utf-8') as lines:
        tests = [json.loads(line) for line in lines]
    total, bad = Counter(), []
    for test in tests:
        counts = tally(test)
        total += counts
        if counts['failed'] or (counts['skipped'] and os.environ.get('CI')):
            bad.append(test)
    for test in bad[:SHOWN_TESTS]:
        show(test)
    if len(bad) > SHOWN_TESTS:
        print('also failed:', *(test['name'] for test in bad[SHOWN_TESTS:]), file=sys.stderr)
    if total['skipped']:
        print(f'{total["skipped"]} skipped', file=sys.stderr)
    print(total['passed'], total['failed'] + (total['skipped'] if os.environ.get('CI') else 0))


if __name__ == '__main__':
    main(*sys.argv[1:])
