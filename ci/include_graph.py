"""Reads source file names from stdin; fails if an include points upwards or headers include each other in a circle."""
import re
import sys

BELOW = {  # folder -> folders whose headers it may include
    "mem": {"mem"},
    "nic": {"nic", "mem"},
    "net": {"net", "mem"},
    "shard": {"shard", "net", "nic", "mem"},
    "sdk": {"sdk", "demi", "shard", "net", "nic", "mem"},
    "sim": {"sim", "sdk", "demi", "shard", "net", "nic", "mem"},  # beside nic: replaces it and shard's seams
    "samples": {"samples", "demi"},
}
# Ours are quoted, but for the public headers, which are included as a program includes them.
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([a-z]+)/([^"]+)"|<(demi)/([^>]+)>)')
FOLDERS = set(BELOW) | {"demi"}

graph = {}
bad = 0
for name in sys.stdin.read().split():
    folder = name.split("/")[0]
    if folder not in BELOW:
        continue
    key = name.replace("sdk/include/", "")
    graph[key] = []
    with open(name, encoding="utf-8") as source:
        for number, line in enumerate(source, 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            to, header = [part for part in match.groups() if part]
            if to not in FOLDERS:
                continue
            graph[key].append(f"{to}/{header}")
            allowed = {"demi"} if key.startswith("demi/") else BELOW[folder]
            if to not in allowed:
                print(f"{name}:{number}: {folder}/ may not include {to}/")
                bad = 1

done = set()


def visit(node, path):
    """Depth first; a node met again on its own path closes a circle."""
    global bad
    if node in path:
        print("headers in a circle: " + " -> ".join(path[path.index(node):] + [node]))
        bad = 1
        return
    if node in done:
        return
    for below in graph.get(node, []):
        visit(below, path + [node])
    done.add(node)


for header in sorted(graph):
    visit(header, [])
sys.exit(bad)
