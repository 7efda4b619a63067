#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The completions, each asked by its own shell: every verb and option of `sgwarden help` is offered, and nothing else.

    test_completion.py SGWARDEN
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SGWARDEN = os.path.abspath(sys.argv.pop(1))


def run(*words, **options):
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=300, **options).stdout


def table():
    """What the program says of itself: {verb: {second word or None: options}}."""
    verbs = {}
    for row in re.findall(r"^  (\S+)(?: (\S+))? ", run(SGWARDEN, "help"), re.M):
        verbs.setdefault(row[0], {})
    for verb in verbs:
        for usage in re.findall(r"^sgwarden (.*(?:\n {8}\S.*)*)", run(SGWARDEN, "help", verb), re.M):
            words = usage.split()
            sub = words[1] if len(words) > 1 and re.fullmatch(r"[a-z]+", words[1]) else None
            verbs[verb][sub] = set(re.findall(r"--[a-z-]+", usage))
    return verbs


VERBS = table()


class Shell:
    """A shell that has read the completion; ask() gives what it offers behind these words."""
    name = ""

    def setUp(self):
        if not shutil.which(self.name):
            self.skipTest(f"there is no {self.name} here")
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.script = os.path.join(self.folder.name, "_sgwarden")
        with open(self.script, "w", encoding="ascii") as file:
            file.write(run(SGWARDEN, "completion", self.name))
        self.env = {"PATH": os.path.dirname(SGWARDEN) + ":/usr/bin:/bin", "HOME": self.folder.name, "TERM": "dumb",
                    "XDG_CONFIG_HOME": self.folder.name, "XDG_DATA_HOME": self.folder.name}

    def ask(self, *words):
        raise NotImplementedError

    def test_verbs(self):
        self.assertEqual(self.ask(""), set(VERBS))

    def test_second_words(self):
        for verb, subs in VERBS.items():
            if None not in subs:
                self.assertEqual(self.ask(verb, ""), set(subs), verb)

    def test_options(self):
        self.assertGreater(len(VERBS), 20)
        for verb, subs in VERBS.items():
            for sub, options in subs.items():
                words = [verb] if sub is None else [verb, sub]
                self.assertEqual(self.ask(*words, "--") - {"--help"}, options, words)

    def test_a_beginning(self):
        self.assertEqual(self.ask("re"), {v for v in VERBS if v.startswith("re")})


class Bash(Shell, unittest.TestCase):
    name = "bash"

    def ask(self, *words):
        line = ["sgwarden", *words]
        program = (f"source {self.script}\nCOMP_WORDS=({' '.join(repr(w) for w in line)})\nCOMP_CWORD={len(line) - 1}\n"
                   "_sgwarden\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n")
        return set(run("bash", "--norc", "-c", program, env=self.env).split())


class Fish(Shell, unittest.TestCase):
    name = "fish"

    def ask(self, *words):
        program = f"source {self.script}; complete -C 'sgwarden {' '.join(words)}'"
        offered = {line.split("\t")[0] for line in run("fish", "-N", "-c", program, env=self.env).splitlines()}
        return {o.rstrip("=") for o in offered if words[-1] or not o.startswith("-")}


class Zsh(Shell, unittest.TestCase):
    name = "zsh"
    # The two helpers that the script calls, replaced by ones that print what they are to offer.
    HELPERS = """
_describe() { local -a rows; rows=("${(@P)2}"); print -rl -- ${rows%%:*} }
_arguments() { local word; for word in "$@"; do [[ $word == --* ]] && print -r -- ${word%%:*}; done; true }
compdef() { : }
"""

    def ask(self, *words):
        line = ["sgwarden", *words]
        program = f"{self.HELPERS}\nwords=({' '.join(repr(w) for w in line)})\nCURRENT={len(line)}\nsource {self.script}\n"
        offered = set(run("zsh", "-f", "-c", program, env=self.env).split())
        return {word for word in offered if word.startswith(words[-1])}


if __name__ == "__main__":
    unittest.main()
