#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The include rules of the architecture: who may see which header.

    includes.py SOURCE

One folder under src/ is one address space; it sees libc, <sgwarden/…>, itself, and the libraries of its row.
"""
import pathlib
import re
import sys

from tree import Findings, files

# Each library by the headers that bring it in.
LIBRARIES = {
    "libcrypto": r"openssl/.*",
    "libcurl": r"curl/.*",
    "expat": r"expat.*\.h",
    "cJSON": r"cjson/.*|cJSON\.h",
    "libfido2": r"fido\.h|fido/.*|cbor\.h",
    "libsystemd": r"systemd/.*|libudev\.h",
    "libseccomp": r"seccomp\.h",
    "libcap-ng": r"cap-ng\.h",
    "landlock": r"linux/landlock\.h",
    "raw filters": r"linux/(seccomp|filter|audit)\.h",
}
PURE = set()
ROWS = {
    "src/common": PURE, "src/wire": PURE, "src/plan": PURE, "src/ledger": PURE,
    "src/front": {"cJSON"},
    "src/planner": {"libcrypto"},
    "src/broker": {"libcrypto"},
    "src/net": {"libcurl", "expat"},
    "src/consent": {"libcrypto"},
    "src/fido": {"libfido2"},
    "src/load": {"libcrypto"},
    "src/supervisor": {"libsystemd"},
    "src/cli": {"cJSON", "libcrypto"},
    "sandbox": {"libseccomp", "libcap-ng", "landlock", "raw filters"},
    "include/sgwarden": PURE,
}
# <sgwarden/…> headers that are libcrypto in disguise: for those whose row has it.
CRYPTO_HEADERS = {"hash.h", "es256.h"}
HEAD = re.compile(r"^/\* SPDX-License-Identifier: Apache-2\.0 \*/$")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def library_of(header):
    for name, pattern in LIBRARIES.items():
        if re.fullmatch(pattern, header):
            return name
    return None


def folder_of(path):
    for folder in ROWS:
        if path.startswith(folder + "/"):
            return folder
    return None


def check_include(found, where, folder, source, path, quote, header):
    if quote == '"':
        target = (path.parent / header).resolve()
        home = (source / folder).resolve()
        if home not in target.parents:
            found.say(f"{where}: \"{header}\" is another folder's")
        return
    if header.startswith("sgwarden/"):
        if not (source / "include" / header).exists() and not header.startswith("sgwarden/messages"):
            found.say(f"{where}: <{header}> does not exist")
        return
    library = library_of(header)
    if library is None or library in ROWS[folder]:
        return
    if folder == "include/sgwarden" and path.name in CRYPTO_HEADERS and library == "libcrypto":
        return
    found.say(f"{where}: {folder} may not see {library} (<{header}>)")


def check_main(found, where, lines):
    """After the licence: one comment, whose first lines say holds, cannot, if owned."""
    words = [re.sub(r"^[\s/*]*", "", line) for line in lines[1:6]]
    words = [w for w in words if w][:3]
    for word, want in zip(words + [""] * 3, ("holds:", "cannot:", "if owned:")):
        if not word.startswith(want):
            found.say(f"{where}: main.c opens with holds / cannot / if owned; '{want}' is missing")


def main():
    source = pathlib.Path(sys.argv[1])
    found = Findings("includes")
    for path in files(source):
        name = str(path.relative_to(source))
        folder = folder_of(name)
        if folder is None or path.suffix not in (".c", ".h", ".def"):
            continue
        found.looked += 1
        lines = path.read_text().splitlines()
        if not lines or not HEAD.match(lines[0]):
            found.say(f"{name}:1: does not begin with the licence line")
        for n, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if match:
                check_include(found, f"{name}:{n}", folder, source, path, *match.groups())
        if path.name == "main.c" and folder.startswith("src/"):
            check_main(found, name, lines)
    found.end()


main()
