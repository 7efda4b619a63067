#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""sgw-net over plain HTTP on loopback: what it sends, what it says became of it, what it takes as an answer.

usage: net_http.py PATH_OF_sgw-net
"""

import gzip
import socket
import sys
import threading
import time
import unittest

from cannedserver import EC2_NS, Server, always, head, reply, stop_listening
from netpeers import Net, config, outcome

PROGRAM = sys.argv.pop(1)
DEAD_PROXY = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY",
                                                      "ALL_PROXY")}
READ, WRITE, CLOSE = "AWS_DESCRIBE_RULES", "AWS_AUTHORIZE_INGRESS", "AWS_REVOKE_INGRESS"
OK_READ = ('<DescribeSecurityGroupRulesResponse xmlns="%s"><requestId>r-1</requestId><securityGroupRuleSet/>'
           "</DescribeSecurityGroupRulesResponse>" % EC2_NS)
OK_WRITE = ('<AuthorizeSecurityGroupIngressResponse xmlns="%s"><return>true</return>'
            "</AuthorizeSecurityGroupIngressResponse>" % EC2_NS)


def rule(number):
    return ("<item><securityGroupRuleId>sgr-%017x</securityGroupRuleId><groupId>sg-0123456789abcdef0</groupId>"
            "<isEgress>false</isEgress><ipProtocol>tcp</ipProtocol><fromPort>%d</fromPort><toPort>%d</toPort>"
            "<cidrIpv4>203.0.113.0/24</cidrIpv4></item>" % (number, number + 1, number + 1))


def rules(count, token=""):
    return ("<DescribeSecurityGroupRulesResponse><nextToken>%s</nextToken><securityGroupRuleSet>%s"
            "</securityGroupRuleSet></DescribeSecurityGroupRulesResponse>"
            % (token, "".join(map(rule, range(count)))))


def error(code, message="no"):
    return ("<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors>"
            "<RequestID>r-e</RequestID></Response>" % (code, message))


def net_for(server, **conf):
    return Net(PROGRAM, config(ec2="http://" + server.host, **conf), environment=DEAD_PROXY)


class Sending(unittest.TestCase):
    def test_exactly_what_was_signed(self):
        with Server(always(reply(OK_READ))) as server, net_for(server) as net:
            body = b"Action=DescribeSecurityGroupRules&Filter.1.Value.1=%00"
            _, done = net.ask(host=server.host, body=body, authorization="AWS4 x, y=z", token="tok/en==")
            self.assertEqual(outcome(done), "NET_ANSWERED")
            lines, sent = server.requests[0]
            self.assertEqual(sent, body)
            self.assertEqual(lines[0], "POST / HTTP/1.1")
            self.assertEqual(sorted(lines[1:]), sorted([
                "Host: " + server.host, "Content-Type: application/x-www-form-urlencoded; charset=utf-8",
                "X-Amz-Date: 20261121T173000Z", "Authorization: AWS4 x, y=z", "X-Amz-Security-Token: tok/en==",
                "User-Agent: " + next(l for l in lines if l.startswith("User-Agent: sgwarden/"))[12:],
                "Content-Length: %d" % len(body)]))

    def test_no_token_no_header(self):
        with Server(always(reply(OK_READ))) as server, net_for(server) as net:
            net.ask(host=server.host)
            self.assertFalse([l for l in server.requests[0][0] if "Token" in l or "Expect" in l or "Accept" in l])

    def test_reads_share_a_connection(self):
        with Server(always(reply(OK_READ))) as server, net_for(server) as net:
            for number in range(5):
                self.assertEqual(outcome(net.ask(host=server.host, request=number)[1]), "NET_ANSWERED")
            self.assertEqual(server.connections, 1)

    def test_a_kept_connection_is_its_hosts_alone(self):
        with Server(always(reply(OK_READ))) as one, Server(always(reply(OK_READ))) as other:
            conf = config(ec2="http://" + one.host, sts="http://" + other.host)
            with Net(PROGRAM, conf, environment=DEAD_PROXY) as net:
                for number in range(6):
                    host = (one, other)[number % 2].host
                    self.assertEqual(outcome(net.ask(host=host, request=number)[1]), "NET_ANSWERED")
            for server in (one, other):
                self.assertEqual((server.connections, len(server.requests)), (1, 3))
                for lines, _ in server.requests:
                    self.assertIn("Host: " + server.host, lines)

    def test_writes_never_take_a_kept_connection(self):
        with Server(always(reply(OK_WRITE))) as server, net_for(server) as net:
            for number in range(3):
                self.assertEqual(outcome(net.ask(host=server.host, request=number, op=WRITE)[1]), "NET_ANSWERED")
            self.assertEqual(server.connections, 3)

    def test_a_dead_kept_connection_repeats_reads_only(self):
        """libcurl sends again when a kept connection dies without a byte: right for a read, never for a write."""
        def dies_on_the_second(server, sock, number):
            return reply(OK_READ) if number == 0 else None

        with Server(dies_on_the_second) as server, net_for(server) as net:
            net.ask(host=server.host, request=1)
            self.assertEqual(outcome(net.ask(host=server.host, request=2)[1]), "NET_ANSWERED")
            self.assertEqual(len(server.requests), 3)  # the living twin: one of them was sent twice

        def dies_on_writes(server, sock, number):
            return reply(OK_READ) if b"Read" in server.requests[-1][1] else None

        for op in (WRITE, CLOSE):
            with Server(dies_on_writes) as server, net_for(server) as net:
                net.ask(host=server.host, request=1, body=b"Read")
                self.assertEqual(outcome(net.ask(host=server.host, request=2, op=op)[1]), "NET_NO_ANSWER")
                time.sleep(0.1)
                self.assertEqual(len(server.requests), 2)

    def test_many_at_once(self):
        at_once = threading.Barrier(12, timeout=60)

        def together(server, sock, number):
            at_once.wait()
            return reply(OK_READ)

        with Server(together) as server, net_for(server) as net:
            for number in range(12):
                net.send(host=server.host, request=number, to_planner=number % 2 == 0)
            for number in range(12):
                end = net.planner if number % 2 == 0 else net.broker
                name, done = net.receive(end)
                self.assertEqual((name, outcome(done)), ("DONE", "NET_ANSWERED"))

    def test_more_than_fit_are_told_so(self):
        release = threading.Event()

        def slow(server, sock, number):
            release.wait(60)
            return reply(OK_READ)

        with Server(slow) as server, net_for(server) as net:
            for number in range(66):
                net.send(host=server.host, request=number)
            refused = [net.receive(net.broker)[1] for _ in range(2)]
            self.assertEqual([(d["request"], outcome(d)) for d in refused], [(64, "NET_NOT_SENT"), (65, "NET_NOT_SENT")])
            release.set()
            done = {net.receive(net.broker)[1]["request"] for _ in range(64)}
            self.assertEqual(done, set(range(64)))


class Outcomes(unittest.TestCase):
    def ask(self, handler, **fields):
        with Server(handler) as server, net_for(server) as net:
            pages, done = net.ask(host=server.host, **fields)
            self.requests = server.requests
            return pages, done

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            host = "127.0.0.1:%d" % listener.getsockname()[1]
        with Net(PROGRAM, config(ec2="http://" + host)) as net:
            self.assertEqual(outcome(net.ask(host=host, op=WRITE)[1]), "NET_NOT_SENT")

    def test_a_port_that_it_was_not_given(self):
        with Server(always(reply(OK_READ))) as server:
            conf = config(ec2="http://" + server.host, sources=["http://" + server.host])
            with Net(PROGRAM, conf, ports=[53, 443]) as net:
                _, done = net.ask(host=server.host)
                self.assertEqual(outcome(done), "NET_NOT_SENT")
                self.assertIn("TCP port", done["message"])
                self.assertEqual(net.look_up()[0], "SEEN_UNREACHABLE")
            with Net(PROGRAM, conf) as net:
                self.assertEqual(outcome(net.ask(host=server.host)[1]), "NET_ANSWERED")
            self.assertEqual(server.connections, 1)

    def test_no_such_name(self):
        with Net(PROGRAM, config(ec2="https://no-such..invalid")) as net:
            _, done = net.ask(host="no-such..invalid", tls=True, op=WRITE)
            self.assertEqual(outcome(done), "NET_NOT_SENT")
            self.assertIn("resolv", done["message"])

    def test_closed_without_an_answer(self):
        _, done = self.ask(lambda *_: None, op=WRITE)
        self.assertEqual((outcome(done), done["http_status"], len(self.requests)), ("NET_NO_ANSWER", 0, 1))

    def test_cut_in_the_head(self):
        _, done = self.ask(always(b"HTTP/1.1 200 OK\r\nContent-Le\r\nConnection: close\r\n"), op=WRITE)
        self.assertIn(outcome(done), ("NET_NO_ANSWER", "NET_BAD_ANSWER"))

    def test_cut_in_the_body(self):
        whole = reply(OK_WRITE, extra=("Connection: close",))
        _, done = self.ask(always(whole[:-30]), op=WRITE)
        self.assertEqual(outcome(done), "NET_NO_ANSWER")
        _, done = self.ask(always(whole), op=WRITE)
        self.assertEqual(outcome(done), "NET_ANSWERED")

    def test_cut_where_no_length_tells(self):
        whole = reply(OK_WRITE, extra=("Connection: close",), length=False)
        _, done = self.ask(always(whole[:-30]), op=WRITE)
        self.assertEqual(outcome(done), "NET_BAD_ANSWER")
        _, done = self.ask(always(whole), op=WRITE)
        self.assertEqual(outcome(done), "NET_ANSWERED")

    def test_chunked_and_cut(self):
        body = OK_WRITE.encode()
        start = head(b"", extra=("Transfer-Encoding: chunked", "Connection: close"), length=False)
        chunk = b"%x\r\n%s\r\n" % (len(body), body)
        self.assertEqual(outcome(self.ask(always(start + chunk + b"0\r\n\r\n"), op=WRITE)[1]), "NET_ANSWERED")
        self.assertEqual(outcome(self.ask(always(start + chunk), op=WRITE)[1]), "NET_NO_ANSWER")

    def test_slow_drip(self):
        """Its time goes on with each byte: where it did not, all of it would come."""
        def drip(server, sock, number):
            for byte in reply(OK_WRITE):
                sock.sendall(bytes([byte]))
                time.sleep(0.1)

        _, done = self.ask(drip, op=WRITE, timeout=6000)
        self.assertEqual(outcome(done), "NET_NO_ANSWER")

    def test_never_answers(self):
        came = threading.Event()
        _, done = self.ask(lambda *_: came.set() or time.sleep(60), op=WRITE, timeout=6000)
        self.assertTrue(came.wait(60), "AWS never had it")
        self.assertEqual((outcome(done), len(self.requests)), ("NET_NO_ANSWER", 1))

    def test_host_that_the_configuration_does_not_name(self):
        with Server(always(reply(OK_READ))) as server, net_for(server) as net:
            for fields in ({"host": "127.0.0.1:1"}, {"host": server.host, "tls": True}, {"host": ""},
                           {"host": server.host + "/x"}, {"host": "ec2.eu-west-1.amazonaws.com"},
                           {"host": "ec2.us-east-1.amazonaws.com", "tls": True}, {"host": "x@" + server.host}):
                _, done = net.ask(**fields)
                self.assertEqual(outcome(done), "NET_NOT_SENT", fields)
                self.assertIn("configuration", done["message"])
            self.assertEqual(server.requests, [])

    def test_http_only_where_allowed(self):
        with Server(always(reply(OK_READ))) as server, net_for(server, http_loopback=False) as net:
            self.assertEqual(outcome(net.ask(host=server.host)[1]), "NET_NOT_SENT")
            self.assertEqual(server.connections, 0)


class Answers(unittest.TestCase):
    def setUp(self):
        self.answer = b""
        self.server = Server(lambda *_: self.answer)
        self.net = net_for(self.server)

    def tearDown(self):
        self.net.end()
        self.assertEqual(self.net.status, 0)
        stop_listening(self.server.listener, self.server.thread)

    def ask(self, answer, **fields):
        self.answer = answer
        return self.net.ask(host=self.server.host, **fields)

    def refused(self, answer, why, **fields):
        _, done = self.ask(answer, **fields)
        self.assertEqual(outcome(done), "NET_BAD_ANSWER", done)
        self.assertIn(why, done["message"])
        return done

    def test_pages_go_where_they_are_wanted(self):
        for to_planner in (False, True):
            pages, done = self.ask(reply(rules(130, "tok+en"), extra=("Date: Sat, 21 Nov 2026 17:30:00 GMT",)),
                                   to_planner=to_planner)
            self.assertEqual([len(fields["rules"]) for _, fields in pages], [64, 64, 2])
            self.assertEqual(pages[2][1]["rules"][1]["from_port"], 130)
            self.assertEqual((done["next_token"], done["server_date"]), ("tok+en", 1795282200))

    def test_broker_hears_the_date_of_the_planners_refusals(self):
        """It signs for AWS's time; of what goes well it needs to hear nothing, and of its own it hears anyway."""
        date = "Date: Sat, 21 Nov 2026 17:30:00 GMT"
        for answer in (reply(error("RequestExpired", "a"), 400), reply(rules(1), extra=(date,)), reply("no XML", 400, extra=(date,))):
            self.ask(answer, to_planner=True)
        self.ask(reply(error("RequestExpired", "a"), 400, extra=(date,)), op=WRITE)
        self.ask(reply(error("RequestExpired", "a"), 400, extra=(date,)), to_planner=True)
        self.assertEqual(self.net.receive(self.net.broker), ("AWS_DATE", {"server_date": 1795282200}))

    def test_large_answer_within_bounds(self):
        pages, done = self.ask(reply(rules(20000)))
        self.assertEqual(outcome(done), "NET_ANSWERED")
        self.assertEqual(sum(len(fields["rules"]) for _, fields in pages), 20000)

    def test_errors(self):
        for status, code in ((412, "DryRunOperation"), (403, "UnauthorizedOperation"), (503, "RequestLimitExceeded"),
                             (400, "InvalidPermission.Duplicate")):
            _, done = self.ask(reply(error(code, "a\tb"), status), op=WRITE)
            self.assertEqual((outcome(done), done["http_status"], done["code"], done["message"],
                              done["aws_request_id"]), ("NET_ANSWERED", status, code, "a\\x09b", "r-e"))

    def test_unknown_permissions(self):
        body = ("<RevokeSecurityGroupIngressResponse><return>true</return><unknownIpPermissionSet><item/>"
                "</unknownIpPermissionSet></RevokeSecurityGroupIngressResponse>")
        _, done = self.ask(reply(body), op=CLOSE)
        self.assertEqual((outcome(done), done["code"]), ("NET_ANSWERED", "UnknownIpPermissions"))

    def test_status_and_body_must_agree(self):
        self.refused(reply(OK_WRITE, 500), "disagree", op=WRITE)
        self.refused(reply(error("X"), 200), "disagree", op=WRITE)

    def test_hostile_documents(self):
        doctype = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">]>' + OK_READ
        self.refused(reply(doctype), "DOCTYPE")
        self.refused(reply('<?xml version="1.0" encoding="ISO-8859-1"?>' + OK_READ), "UTF-8")
        self.refused(reply(OK_READ.encode("utf-16")), "UTF-8")
        self.refused(reply(OK_READ.replace("r-1", "&x;")), "entity")
        self.refused(reply(OK_READ[:-1]), "unclosed")
        self.refused(reply(""), "no element")
        self.refused(reply("<DescribeSecurityGroupRulesResponse>" + "<a>" * 17), "deep")
        self.refused(reply(rules(1).replace("203.0.113.0/24", "x")), "does not fit")

    def test_too_much(self):
        body = OK_READ.replace("<requestId>", ("<!--" + "x" * 9000 + "-->") * 2000 + "<requestId>")
        self.refused(reply(body), "too large")
        self.refused(reply(OK_READ.replace("<requestId>", "<x/>" * 10 + "<item/>" * 100001 + "<requestId>")), "items")

    def test_encoded(self):
        self.refused(reply(gzip.compress(OK_READ.encode()), extra=("Content-Encoding: gzip",)), "encoded")
        self.refused(reply(gzip.compress(OK_READ.encode()), extra=("Transfer-Encoding: gzip, chunked",)), "encoded")
        self.assertEqual(outcome(self.ask(reply(OK_READ, extra=("Content-Encoding: identity",)))[1]), "NET_ANSWERED")

    def test_a_bomb_is_not_inflated(self):
        """A kilobyte for each megabyte: it stays what it is, and is refused as that."""
        bomb = gzip.compress(bytes(256 << 20), 9)
        before = self.memory()
        self.refused(reply(bomb, extra=("Content-Encoding: gzip",)), "encoded")
        self.refused(reply(bomb, extra=("Transfer-Encoding: gzip, chunked",)), "encoded")
        self.refused(reply(gzip.compress(gzip.compress(bytes(64 << 20))), extra=("Content-Encoding: gzip, gzip",)), "encoded")
        self.assertLess(self.memory(), before + 20000)

    def memory(self):
        """The most it ever held, kB."""
        with open("/proc/%d/status" % self.net.pid, encoding="ascii") as file:
            return int(next(line for line in file if line.startswith("VmHWM")).split()[1])

    def test_redirects_are_not_followed(self):
        with Server(always(reply(OK_READ))) as other:
            moved = reply("", 307, ("Location: http://%s/" % other.host,))
            done = self.refused(moved, "")
            self.assertEqual((done["http_status"], other.connections), (307, 0))

    def test_not_xml(self):
        done = self.refused(reply("<html><body>503</body></html>", 503), "no answer to this call")
        self.assertEqual(done["http_status"], 503)

    def test_not_http(self):
        _, done = self.ask(b"SSH-2.0-x\r\n\r\n", op=WRITE)
        self.assertEqual(outcome(done), "NET_NO_ANSWER")

    def test_goes_on_after_a_bad_answer(self):
        self.refused(reply("<x"), "")
        self.assertEqual(outcome(self.ask(reply(OK_READ))[1]), "NET_ANSWERED")


class Edges(unittest.TestCase):
    def test_ends_with_its_supervisor(self):
        with Net(PROGRAM, config()) as net:
            net.control.close()
            self.assertEqual(net.wait(), 0)

    def test_ends_with_broker_and_planner(self):
        for end in ("broker", "planner"):
            with Net(PROGRAM, config()) as net:
                getattr(net, end).close()
                self.assertEqual(net.wait(), 0)

    def test_nothing_is_read_from_the_broker_before_the_configuration(self):
        with Server(always(reply(OK_READ))) as server, Net(PROGRAM, config(ec2="http://" + server.host), configure=False) as net:
            net.send(host=server.host, request=1)
            with self.assertRaises(TimeoutError):
                net.receive(net.broker, 0.3)
            net.configure(config(ec2="http://" + server.host))
            self.assertEqual(outcome(net.answer()[1]), "NET_ANSWERED")

    def test_a_second_configuration_ends_it(self):
        with Net(PROGRAM, config()) as net:
            net.configure(config(proxy="http://127.0.0.1:1"))
            self.assertEqual(net.wait(), 1)

    def test_garbage_ends_it(self):
        for end in ("control", "broker", "planner"):
            with Net(PROGRAM, config()) as net:
                getattr(net, end).send(b"garbage")
                self.assertEqual(net.wait(), 1)

    def test_the_planner_cannot_send(self):
        with Net(PROGRAM, config()) as net:
            net.broker, net.planner = net.planner, net.broker
            net.send(host="127.0.0.1:1")
            self.assertEqual(net.wait(), 1)


if __name__ == "__main__":
    unittest.main()
