# SPDX-License-Identifier: Apache-2.0
"""Python's ipaddress knows IANA's registries too: both are asked about many addresses and must agree (TAP).

usage: guard_oracle.py UNIT_GUARD
"""

import ipaddress
import random
import subprocess
import sys

SEED = 20261122

# Refused by us alone: globally reachable as IANA has it (or Python's older versions do not know the block), but no place
# for a server; Azure's host is no block of IANA's.
REFUSED_BY_US = [ipaddress.ip_network(text) for text in '''
    168.63.129.16/32 192.0.0.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.175.48.0/24
    2001::/23 2620:4f:8000::/48 3fff::/20
'''.split()]

NAT64 = ipaddress.ip_network('64:ff9b::/96')

PLACES = [ipaddress.ip_network(text) for text in '''
    0.0.0.0/0 0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.2.0/24 192.168.0.0/16
    198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 255.255.255.255/32
    ::/0 ::/96 ::1/128 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2000::/3 2001::/32 2001:1::/32
    2001:2::/48 2001:3::/32 2001:4:112::/48 2001:10::/28 2001:20::/28 2001:30::/28 2001:db8::/32 2002::/16 4000::/2
    2002:a00::/24 2002:7f00::/24 64:ff9b::7f00:0/104 ::ffff:10.0.0.0/104 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8
'''.split()] + REFUSED_BY_US


def sample(chance, network, count):
    """Its ends, what stands just outside of them, and some inside."""
    first, last = int(network[0]), int(network[-1])
    kind, top = type(network[0]), 2 ** network.max_prefixlen - 1
    numbers = [first - 1, first, last, last + 1] + [chance.randint(first, last) for _ in range(count)]
    return [kind(number) for number in numbers if 0 <= number <= top]


def carried(address):
    """The IPv4 address that it carries, or itself."""
    if address.version == 4:
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xffffffff)
    return address.ipv4_mapped or address.sixtofour or address


def python_says(address):
    address = carried(address)
    site_local = address.version == 6 and address.is_site_local
    return (address.is_global and not address.is_multicast and not address.is_reserved and not site_local
            and not any(address in network for network in REFUSED_BY_US if network.version == address.version))


def main(program):
    chance = random.Random(SEED)
    addresses = [address for place in PLACES for address in sample(chance, place, 200)]
    answers = subprocess.run([program, 'judge'], input='\n'.join(map(str, addresses)), text=True, capture_output=True,
                             check=True).stdout.split()
    assert len(answers) == len(addresses) > 8000
    wrong = [str(address) for address, answer in zip(addresses, answers) if (answer == '1') != python_says(address)]
    allowed = answers.count('1')
    print(f'1..1\n{"not ok" if wrong or not allowed else "ok"} 1 - agrees with ipaddress on {len(answers)} addresses, '
          f'{allowed} of them public')
    for address in wrong[:20]:
        print(f'# {address}: Python says {python_says(ipaddress.ip_address(address))}')
    return 1 if wrong or not allowed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
