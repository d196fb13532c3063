"""Prints the ports of a service of a composition, a line each: the address of this machine, its port or `any`, the container's.

The composition comes on standard input, as `docker-compose config` or `docker compose config` prints it: the first writes a port as one
text, the second as a mapping.
"""

import sys

import yaml


def told(port):
    if isinstance(port, str):
        address, published, target = port.removesuffix("/tcp").rsplit(":", 2)
    else:
        address, published, target = port.get("host_ip", ""), port.get("published", ""), port["target"]
    return f"{address} {published or 'any'} {target}"


for port in yaml.safe_load(sys.stdin)["services"][sys.argv[1]]["ports"]:
    print(told(port))
