# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""The program as a person and a script meet it, where that shows only from outside: files, standard streams, statuses.

The unit tests run with Foundation in their process, the program does not, and what it is started with is the kernel's.
"""

import contextlib
import os
import pathlib
import resource
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import demo

KEY = "file-key-5f1c0a2b9d3e4c7f"


class Files(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / "key").write_text(KEY)
        self.file = self.configure()

    def configure(self, listen: str = "") -> pathlib.Path:
        file = self.folder / "agent.json5"
        listen = listen or f'unix: "{self.folder}/agent.sock"'
        file.write_text(f"""{{ listen: {{ {listen} }}, allow: {{ users: [0] }},
            credentials: {{ k: {{ source: "file", path: "{self.folder}/key", kind: "key" }} }} }}""")
        file.chmod(0o644)
        return file

    def run_it(self, *words: str, **streams) -> subprocess.CompletedProcess:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
        return subprocess.run([demo.program, *words], stdin=subprocess.DEVNULL, timeout=demo.LIMIT, check=False,
                              **streams)

    def check(self) -> subprocess.CompletedProcess:
        return self.run_it("check", "--config", str(self.file))

    def test_a_configuration_that_everybody_may_change_is_refused(self) -> None:
        self.assertEqual(self.check().returncode, 0)
        self.file.chmod(0o666)
        answer = self.check()
        self.assertEqual(answer.returncode, 78)
        self.assertIn(f"run: chmod o-w {self.file}", answer.stderr.decode())

    def test_a_command_is_waited_for_though_the_parent_ignores_children(self) -> None:
        # As `trap '' CHLD` leaves it in what a shell starts.
        self.file.write_text(f"""{{ listen: {{ unix: "{self.folder}/agent.sock" }}, allow: {{ users: [0] }},
            credentials: {{ k: {{ source: "exec", command: ["/bin/echo", "of-a-command"], timeout: "5s" }} }} }}""")
        answer = self.run_it("check", "--config", str(self.file),
                             preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)

    def test_a_command_that_waits_is_ended_by_signals(self) -> None:
        path = f"{self.folder}/silent.sock"
        os.mkfifo(self.folder / "started")
        self.file.write_text(f"""{{ listen: {{ unix: "{self.folder}/agent.sock" }}, allow: {{ users: [0] }},
            credentials: {{ k: {{ source: "exec", timeout: "{demo.LIMIT}s",
                command: ["/bin/sh", "-c", "echo $$ >{self.folder}/started; exec sleep {demo.LIMIT}"] }} }} }}""")
        with socket.socket(socket.AF_UNIX) as silent:
            silent.bind(path)
            silent.listen()
            silent.settimeout(demo.LIMIT)
            for words in (["status", "--socket", path], ["token", "k", "--socket", path],
                          ["check", "--config", str(self.file)]):
                for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                    with self.subTest(words=words, signal=number.name), contextlib.ExitStack() as after:
                        # As in a terminal: a shell script's background has its commands ignore SIGINT.
                        command = subprocess.Popen([demo.program, *words], stdin=subprocess.DEVNULL,
                                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                                   preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
                        after.callback(command.wait)
                        after.callback(command.kill)
                        if words[0] == "check":
                            child = int((self.folder / "started").read_text())
                            after.callback(os.kill, child, signal.SIGKILL)
                        else:
                            caller = after.enter_context(silent.accept()[0])
                            # It has asked, and waits.
                            self.assertTrue(caller.recv(1000))
                        command.send_signal(number)
                        self.assertEqual(command.wait(10), -number)

    def test_check_ends_with_what_it_looked_at(self) -> None:
        parts = self.folder / "conf.d"
        parts.mkdir()
        (parts / "10-routes.json5").write_text(
            '{ routes: { "/a/": { upstream: "https://a.example/", chain: ["k"] },'
            ' "/b/": { upstream: "https://b.example/", chain: ["k"] } } }')
        read = f"1 credential, 2 routes, read from {self.file}, {parts}/10-routes.json5"
        self.assertEqual(self.check().stdout.decode().splitlines()[-1], f"all is well: {read}")
        offline = self.run_it("check", "--offline", "--config", str(self.file))
        self.assertEqual(offline.returncode, 0)
        self.assertEqual(offline.stdout.decode(), f"all is well, no source was asked: {read}\n")
        # Not with anything wrong.
        (self.folder / "key").unlink()
        answer = self.check()
        self.assertEqual(answer.returncode, 69)
        self.assertNotIn("all is well", answer.stdout.decode() + answer.stderr.decode())

    def test_what_cannot_be_listened_on_is_told_with_its_own_repair(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            for listen, repair in [
                (f'unix: "{self.folder}/no/such/agent.sock"', "make it for the agent's user"),
                (f'unix: "{self.folder}/key"', "remove it or choose another path"),
                (f'tcp: "127.0.0.1:{port}"', "another program may use it"),
                ('unsafeListen: "192.0.2.1:4748"', "this host has no such address"),
            ]:
                with self.subTest(listen=listen):
                    answer = self.run_it("serve", "--config", str(self.configure(listen)))
                    self.assertEqual(answer.returncode, 71)
                    self.assertIn(repair, answer.stderr.decode())

    def test_a_start_that_the_system_refuses_is_not_the_configurations_fault(self) -> None:
        for count in (9, 11):
            with self.subTest(count=count):
                answer = self.run_it("serve", "--config", str(self.file), preexec_fn=lambda: resource.setrlimit(
                    resource.RLIMIT_NOFILE, (count, count)))
                self.assertEqual(answer.returncode, 71, answer.stderr)

    def test_an_output_that_takes_nothing_is_no_success(self) -> None:
        for words in (["help"], ["version"], ["check", "--config", str(self.file)],
                      ["status", "--socket", demo.agent["unix"]], ["status", "--json", "--socket", demo.agent["unix"]],
                      ["token", "demo-oidc", "--socket", demo.agent["unix"]]):
            with self.subTest(words=words), open("/dev/full", "wb") as full:
                answer = self.run_it(*words, stdout=full)
                self.assertEqual(answer.returncode, 74)
                self.assertIn("standard output takes no more", answer.stderr.decode())

    def test_a_log_that_takes_nothing_keeps_nobody_from_being_served(self) -> None:
        with open("/dev/full", "wb") as full:
            agent = subprocess.Popen([demo.program, "serve", "--config", str(self.file)], stdin=subprocess.DEVNULL,
                                     stdout=full, stderr=full)
        self.serve(agent)

    def test_a_second_agent_leaves_the_first_ones_socket_and_nothing_stays_of_either(self) -> None:
        before = sorted(path.name for path in self.folder.iterdir())
        agent = subprocess.Popen([demo.program, "serve", "--config", str(self.file)], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def start_another() -> None:
            answer = self.run_it("serve", "--config", str(self.file))
            self.assertEqual(answer.returncode, 71)
            self.assertIn(f"another agent (process {agent.pid}) has {self.folder}/agent.sock", answer.stderr.decode())
            self.assertEqual(self.run_it("status", "--config", str(self.file)).returncode, 0)

        self.serve(agent, start_another)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), before)
        # What a killed one leaves is no obstacle.
        agent = subprocess.Popen([demo.program, "serve", "--config", str(self.file)], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.serve(agent, lambda: agent.kill(), ends=False)
        self.assertIn("agent.sock", [path.name for path in self.folder.iterdir()])
        agent = subprocess.Popen([demo.program, "serve", "--config", str(self.file)], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.serve(agent)

    # What a service manager is told: READY=1, RELOADING=1, STOPPING=1, in this order.

    def manage(self, **options) -> tuple[subprocess.Popen, socket.socket]:
        manager = self.enterContext(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        manager.bind(f"{self.folder}/notify")
        manager.settimeout(demo.LIMIT)
        agent = subprocess.Popen([demo.program, "serve", "--config", str(self.file)], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 env=os.environ | {"NOTIFY_SOCKET": f"{self.folder}/notify"}, **options)
        self.addCleanup(agent.wait)
        self.addCleanup(agent.kill)
        return agent, manager

    def told(self, manager: socket.socket) -> str:
        """The next change of state."""
        while (word := manager.recv(4096).split(b"=")[0].decode()) not in ("READY", "RELOADING", "STOPPING"):
            pass
        return word

    def told_to_the_end(self, agent: subprocess.Popen, manager: socket.socket) -> list[str]:
        words = []
        manager.settimeout(0.1)
        ends = time.monotonic() + demo.LIMIT
        while True:
            # Asked first: what was told before the end is in the queue then.
            is_over = agent.poll() is not None
            try:
                while True:
                    words.append(self.told(manager))
            except TimeoutError:
                if is_over:
                    break
            self.assertLess(time.monotonic(), ends)
        self.assertEqual(agent.returncode, 0)
        return words

    def configure_waiting_route(self, more: str = "") -> pathlib.Path:
        """A file of an authority that is there to be opened, and does not come to its end: as on a server that is gone."""
        gate = self.folder / "ca.pem"
        os.mkfifo(gate)
        self.file.write_text(f"""{{ listen: {{ unix: "{self.folder}/agent.sock" }}, allow: {{ users: [0] }},
            credentials: {{ k: {{ source: "file", path: "{self.folder}/key", kind: "key" }} }},
            routes: {{ {more} "/w/": {{ upstream: "https://w.example/", chain: ["k"], tls: {{ ca: "{gate}" }} }} }} }}""")
        return gate

    def hold(self, gate: pathlib.Path) -> int:
        """Once the agent has opened it."""
        end = time.monotonic() + demo.LIMIT
        while True:
            try:
                return os.open(gate, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                self.assertLess(time.monotonic(), end)

    def test_reloads_go_one_after_the_other_however_many_are_asked_for(self) -> None:
        agent, manager = self.manage()
        words = [self.told(manager)]
        # Faster than they are taken: several come in one turn of the loop.
        for _ in range(3000):
            agent.send_signal(signal.SIGHUP)
        while words[-2:] != ["RELOADING", "READY"]:
            words.append(self.told(manager))
        agent.send_signal(signal.SIGTERM)
        words += self.told_to_the_end(agent, manager)
        self.assertRegex(" ".join(words), "^READY( RELOADING READY)+( RELOADING)? STOPPING$")

    def test_a_reload_that_is_asked_for_during_the_start_follows_it(self) -> None:
        authority = self.folder / "authority.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", "/dev/null", "-subj", "/CN=a", "-out", authority], capture_output=True, check=True)
        gate = self.configure_waiting_route()
        agent, manager = self.manage()
        held = self.hold(gate)
        agent.send_signal(signal.SIGHUP)
        # Until it has been read: it is pending no more.
        end = time.monotonic() + demo.LIMIT
        while int(pathlib.Path(f"/proc/{agent.pid}/status").read_text().split("ShdPnd:")[1].split()[0], 16):
            self.assertLess(time.monotonic(), end)
        os.write(held, authority.read_bytes())
        authority.replace(gate)
        os.close(held)
        manager.settimeout(10)
        self.assertEqual([self.told(manager) for _ in range(3)], ["READY", "RELOADING", "READY"])

    def test_a_start_that_is_held_up_can_be_ended(self) -> None:
        gate = self.configure_waiting_route()
        agent, manager = self.manage()
        self.addCleanup(os.close, self.hold(gate))
        agent.send_signal(signal.SIGTERM)
        self.assertEqual(agent.wait(10), 0)
        self.assertEqual(self.told_to_the_end(agent, manager), ["STOPPING"])
        self.assertFalse((self.folder / "agent.sock").exists())

    def test_a_reload_that_ends_while_the_agent_stops_is_not_told(self) -> None:
        with contextlib.ExitStack() as stack:
            upstream = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            upstream.settimeout(demo.LIMIT)
            route = f'"/api/": {{ upstream: "http://127.0.0.1:{upstream.getsockname()[1]}", chain: ["k"] }},'
            gate = self.configure_waiting_route(route)
            text = self.file.read_text()
            self.file.write_text(text.replace(f', tls: {{ ca: "{gate}" }}', ""))
            agent, manager = self.manage()
            self.assertEqual(self.told(manager), "READY")
            # A call that keeps the agent from its end.
            caller = stack.enter_context(socket.socket(socket.AF_UNIX))
            caller.connect(f"{self.folder}/agent.sock")
            caller.sendall(b"GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            call = stack.enter_context(upstream.accept()[0])
            self.file.write_text(text)
            agent.send_signal(signal.SIGHUP)
            self.assertEqual(self.told(manager), "RELOADING")
            held = self.hold(gate)
            agent.send_signal(signal.SIGTERM)
            self.assertEqual(self.told(manager), "STOPPING")
            os.close(held)
            # The loop turns on: it answers who still calls on a connection of before.
            call.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            self.assertIn(b" 200 ", caller.recv(1000))
            self.assertEqual(self.told_to_the_end(agent, manager), [])

    def test_closed_standard_streams_are_not_taken_by_sockets(self) -> None:
        agent = subprocess.Popen(["sh", "-c", 'exec "$0" serve --config "$1" <&- >&- 2>&-', demo.program, str(self.file)])
        self.serve(agent, lambda: self.assertEqual(
            [os.readlink(f"/proc/{agent.pid}/fd/{number}") for number in range(3)], ["/dev/null"] * 3))

    def test_an_agent_that_crashes_leaves_no_secret(self) -> None:
        with open(self.file) as file:
            text = file.read()
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        self.file.write_text(text.rstrip("}") + f""", routes: {{
            "/api/": {{ upstream: "http://127.0.0.1:{port}", chain: ["k"] }} }} }}""")
        for number in (signal.SIGABRT, signal.SIGSEGV):
            agent = subprocess.Popen(
                [os.path.abspath(demo.program), "serve", "--config", str(self.file)], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, cwd=self.folder, env=os.environ | {"SWIFT_BACKTRACE": "enable=yes"},
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))

            def crash() -> None:
                with socket.socket(socket.AF_UNIX) as caller:
                    caller.connect(f"{self.folder}/agent.sock")
                    caller.sendall(b"GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    # The key was read and written into a request that found nobody.
                    self.assertIn(b" 502 ", caller.recv(1000))
                process = pathlib.Path(f"/proc/{agent.pid}")
                said = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
                agent.send_signal(number)
                said += agent.communicate(timeout=demo.LIMIT)[0]
                self.assertEqual(agent.returncode, -number)
                self.assertNotIn(KEY.encode(), said)

            with self.subTest(signal=number.name):
                self.serve(agent, crash, ends=False)
                self.assertEqual([path.name for path in self.folder.iterdir() if path.name.startswith("core")], [])

    def test_an_agent_that_nobody_calls_lets_the_processor_sleep(self) -> None:
        agent = subprocess.Popen([demo.program, "serve", "--config", str(self.file)], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def wakes() -> dict[str, int]:
            counts = {}
            for task in pathlib.Path(f"/proc/{agent.pid}/task").iterdir():
                status = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines())
                counts[task.name] = int(status["voluntary_ctxt_switches"])
            return counts

        def look() -> None:
            # Until the threads of the start have gone and a whole interval has passed without one waking.
            before, end = wakes(), time.monotonic() + demo.LIMIT
            while time.monotonic() < end:
                time.sleep(4)
                if (now := wakes()) == before:
                    return
                before = now
            self.fail(f"threads wake all the time: {before}")

        self.serve(agent, look)

    def test_an_agent_after_a_burst_gives_its_memory_back(self) -> None:
        agent = subprocess.Popen([demo.program, "serve", "--config", str(self.file)], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def of_files() -> int:
            status = pathlib.Path(f"/proc/{agent.pid}/status").read_text()
            return int(status.split("RssFile:")[1].split()[0])

        def burst() -> None:
            with contextlib.ExitStack() as callers:
                for _ in range(40 * os.cpu_count()):
                    caller = callers.enter_context(socket.socket(socket.AF_UNIX))
                    caller.connect(f"{self.folder}/agent.sock")
                    caller.sendall(b"GET /-/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    self.assertIn(b" 200 ", caller.recv(1000))
                during = of_files()
            end = time.monotonic() + demo.LIMIT
            while (now := of_files()) > during * 0.8:
                self.assertLess(time.monotonic(), end, f"{now} of {during} kB of its program are still resident")

        def look() -> None:
            # Once it may be what the start has taken that goes.
            burst()
            burst()

        self.serve(agent, look)

    def serve(self, agent: subprocess.Popen, look=lambda: None, ends: bool = True) -> None:
        """Until it answers, then to its end, unless `look` has seen to that."""
        try:
            end = time.monotonic() + demo.LIMIT
            while (status := self.run_it("status", "--config", str(self.file)).returncode) == 69:
                self.assertLess(time.monotonic(), end)
                self.assertIsNone(agent.poll())
            self.assertEqual(status, 0)
            look()
            if ends:
                agent.send_signal(signal.SIGTERM)
                self.assertEqual(agent.wait(demo.LIMIT), 0)
        finally:
            agent.kill()
            agent.wait()
