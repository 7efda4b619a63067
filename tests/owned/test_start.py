#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The broker's first and last steps: what it is started with, who speaks before it serves, who goes and when.

    test_start.py SGW_BROKER
"""

import os
import resource
import signal
import subprocess
import tempfile
import time

from ownedcase import OwnedCase, main  # before the others: it knows where sgwire is

from world import CONTROL, LOADER, PATIENCE, PLANNER, E, World, opening, pair

MEND = 78  # EX_CONFIG: a person has to mend something first


class Start(OwnedCase):
    def run_with(self, *arguments, places=None, prepare=None):
        """The exit status of a broker that is never answered; its log."""
        with tempfile.TemporaryFile() as log:
            done = subprocess.Popen([World.executable, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    pass_fds=[], preexec_fn=lambda: (self.place(places or {}), prepare and prepare()),
                                    close_fds=False, env={})
            try:
                status = done.wait(PATIENCE)
            finally:
                done.kill()
                done.wait()
            log.seek(0)
            return status, log.read().decode("ascii", "replace")

    @staticmethod
    def place(places):
        for fd, at in places.items():
            os.dup2(at, fd)

    def test_arguments(self):
        for arguments in ((), ("--mode=user",), ("--mode=user", "--parent=0"), ("--mode=other", "--parent=7"),
                          ("--mode=user", "--parent=%d" % os.getpid(), "--verbose")):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.run_with(*arguments)[0], 2)

    def test_another_parent(self):
        """Whoever started it has died in between: it would outlive its supervisor."""
        status, log = self.run_with("--mode=user", "--parent=%d" % (os.getpid() + 1))
        self.assertEqual(status, 70, log)

    def test_no_descriptor_for_its_timers(self):
        limits = (11, resource.getrlimit(resource.RLIMIT_NOFILE)[1])

        def prepare():
            for fd in range(3, 10):
                os.dup2(0, fd)
            os.closerange(10, 11)
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        status, log = self.run_with("--mode=user", "--parent=%d" % os.getpid(), prepare=prepare)
        self.assertEqual((status, "no timers" in log), (1, True), log)

    def test_damaged_files(self):
        """No guess about which part of a state file might hold: nothing is served."""
        for place, named in ((8, "key list"), (9, "policy.bin"), (10, "sealed")):
            for content in (b"x", b"\xff" * 64):
                with self.subTest(place=place, content=content), tempfile.TemporaryFile() as file:
                    file.write(content)
                    file.seek(0)
                    w = self.world(start=False, files={place: file.fileno()})
                    self.assertEqual(w.wait(), MEND, w.logged())
                    self.assertIn(named, w.logged())
                    self.assertFalse(w.serving)

    def test_the_supervisor_has_gone(self):
        """Before it is configured and after: no word to anybody any more."""
        for ready in (False, True):
            with self.subTest(ready=ready):
                w = self.world(start=ready)
                w.ends.pop(CONTROL).close()
                self.assertEqual(w.wait(), 0, w.logged())
                self.assertEqual("ledger stop" in w.ledger_text(), ready)

    def test_a_screen_before_it_serves(self):
        """It is remembered, and nobody is asked yet."""
        w = self.world(start=False)
        w.configure()
        w.say(CONTROL, "SCREEN", kind=E["DISPLAY_TRUSTED"], uid=1001, tty="tty3")
        w.load()
        w.pump(lambda: w.serving)
        w.client(1)
        w.settle()
        self.assertIn("tty3", w.show(w.plan(opening())).text)
        self.assert_clean(w, changes=0)

    def test_a_planner_before_it_serves(self):
        """Its word waits, and its end is the broker's."""
        w = self.world(start=False)
        w.configure()
        w.say(PLANNER, "ASK_BROKER", request=1)
        self.assertFalse(w.step(0.1))
        w.ends.pop(PLANNER).close()
        self.assertEqual(w.wait(), 1)
        self.assertIn("the planner has ended", w.logged())
        self.assertFalse(w.serving)

    def stopped(self, w):
        """Until the process stands: what is said now is all there when it goes on."""
        os.kill(w.pid, signal.SIGSTOP)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with open(f"/proc/{w.pid}/stat", encoding="ascii") as file:
                if file.read().rsplit(")", 1)[1].split()[0] == "T":
                    return
            time.sleep(0.002)
        self.fail("it does not stop")

    def test_answers_that_nobody_takes(self):
        """The plan's client goes, and so has the planner: no second process would know what was answered."""
        w = self.world()
        w.show(w.plan(opening()))
        self.stopped(w)
        w.say(CONTROL, "CLIENT_GONE", client=1)
        w.ends.pop(PLANNER).close()
        os.kill(w.pid, signal.SIGCONT)
        self.assertEqual(w.wait(), 1)
        self.assertIn("the planner does not take its messages", w.logged())
        self.assert_clean(w, changes=0)

    def test_a_supervisor_that_does_not_listen(self):
        """Its first message already."""
        ours, theirs = pair()
        ours.close()
        self.addCleanup(theirs.close)
        others = {fd: 0 for fd in range(4, 11)}
        status, log = self.run_with("--mode=user", "--parent=%d" % os.getpid(),
                                    places={3: theirs.fileno(), **others})
        self.assertEqual((status, "the supervisor does not take" in log), (1, True), log)

    def test_written_for_nobody(self):
        """A file that the supervisor says is written while no act waits for it: passed over."""
        w = self.world()
        w.say(CONTROL, "COMMITTED", file=E["STATE_FILE_KEYS"], ok=True)
        record = w.show(w.plan(opening()))
        w.say(CONTROL, "COMMITTED", file=E["STATE_FILE_KEYS"], ok=True)
        w.settle()
        w.on_keys = World.one_key
        w.agree()
        w.touch(record)
        self.assert_clean(w, changes=1)
        self.assert_serves(w)

    def test_no_word_of_the_loader_but_its_end(self):
        w = self.world(start=False)
        w.configure()
        w.ends.pop(LOADER).close()
        self.assertEqual(w.wait(), 1)
        self.assertIn("the loader ended before it was done", w.logged())


if __name__ == "__main__":
    main()
