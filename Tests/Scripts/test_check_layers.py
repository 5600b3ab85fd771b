# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""scripts/check-layers finds what is planted, and nothing else: a check that cannot fail checks nothing."""

import importlib.machinery
import importlib.util
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "check-layers"
HEADER = "// SPDX-License-Identifier: Apache-2.0\n// SPDX-FileCopyrightText: 2026 The gateway-agent authors\n"

sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("check_layers", str(SCRIPT))
spec = importlib.util.spec_from_loader("check_layers", loader)
check_layers = importlib.util.module_from_spec(spec)
sys.modules["check_layers"] = check_layers
loader.exec_module(check_layers)

# A small house: one type a layer, each naming only what lies below.
HOUSE = {
    "Sources/AgentCore/Runtime/EventLoop.swift": "final class EventLoop {}",
    "Sources/AgentCore/HTTP/RequestHead.swift": "struct RequestHead { var loop: EventLoop }",
    "Sources/AgentCore/Identity/Credential.swift": "struct Credential { enum Kind { case token } }",
    "Sources/AgentCore/Gateway/Route.swift": "struct Route { var head: RequestHead, credential: Credential }",
    "Sources/AgentCore/Agent.swift": "public enum Agent { static let route: Route? = nil }",
}


class Layers(unittest.TestCase):
    def breaks(self, planted: dict[str, str], header: str = HEADER) -> list[tuple[str, int, str]]:
        """(file, line below the header, rule) of each break in the house with these files put in."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in (HOUSE | planted).items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text((header if name in planted else HEADER) + text + "\n", encoding="utf-8")
            return [(str(item.file), item.line - header.count("\n"), item.rule) for item in check_layers.breaks(root)]

    def test_the_small_house_is_clean(self) -> None:
        self.assertEqual(self.breaks({}), [])

    def test_a_lower_folder_may_not_name_a_higher_one(self) -> None:
        for folder, text in [
            ("Runtime", "struct X {\n    var head: RequestHead\n}"),
            ("HTTP", "func x(\n    _ credential: Credential) {}"),
            ("HTTP", "func x() -> Any {\n    AgentCore.Credential()\n}"),
            ("Identity", "let x =\n    [Route]()"),
            ("Gateway", "func x() {\n    Agent.run()\n}"),
            ("HTTP", 'let x = """\n    \\(Credential.self)\n    """'),
        ]:
            with self.subTest(folder=folder, text=text):
                file = f"Sources/AgentCore/{folder}/Planted.swift"
                self.assertEqual(self.breaks({file: text}), [(file, 2, "layer")])

    def test_what_only_looks_like_a_higher_name_is_left_alone(self) -> None:
        for text in [
            "// a Credential is for others",
            "/* Credential /* nested Credential */ Credential */ struct X {}",
            'let x = "Credential"',
            'let x = #"a "Credential" \\(Credential)"#',
            'let x = """\n  Credential\n  """',
            "struct Credentials {}",
            "struct X { struct Route {}; var route: Route }",
            "struct X<Route> { var route: Route }",
            "protocol X { associatedtype Route }",
            "func x() { Other.Route() }",
            "func `Credential in a test's name`() {}",
            # Kind is nested in Credential, and so is not the name of a type of Identity/.
            "func x(_: Kind) {}",
        ]:
            with self.subTest(text=text):
                self.assertEqual(self.breaks({"Sources/AgentCore/HTTP/Planted.swift": text}), [])

    def test_a_private_type_above_takes_no_name_away(self) -> None:
        planted = {
            "Sources/AgentCore/Gateway/Private.swift": "private struct Buffer {}",
            "Sources/AgentCore/HTTP/Planted.swift": "var buffer: Buffer",
        }
        self.assertEqual(self.breaks(planted), [])

    def test_the_system_stays_in_its_folders(self) -> None:
        for text, rule in [
            ("import Glibc", "import"),
            ("internal import COpenSSL", "import"),
            ("@preconcurrency import CLinux", "import"),
            ("import func CSystemd.sd_notify", "import"),
            ("import Foundation", "foundation"),
            ("let x = unsafe pointer.pointee", "unsafe"),
            ("@unsafe func x() {}", "unsafe"),
            ("// a reason\nfinal class X: @unchecked Sendable {}", "unsafe"),
            ("let x = try! y()", "trap"),
            ("let x = y as! Int", "trap"),
            ('func x() { fatalError("no") }', "trap"),
        ]:
            with self.subTest(text=text):
                file = "Sources/AgentCore/Gateway/Planted.swift"
                self.assertEqual([rule for _, _, rule in self.breaks({file: text})], [rule])

    def test_the_system_folders_may_but_must_say_why(self) -> None:
        file = "Sources/AgentCore/Runtime/Planted.swift"
        for text, expected in [
            ("import Glibc\nlet x = unsafe y\nlet z = try! w()", []),
            ("// written once, before the thread starts\n@safe\nfinal class X: @unchecked Sendable {}", []),
            ("final class X: @unchecked Sendable {}", [(file, 1, "proof")]),
            ("struct X {}\nnonisolated(unsafe) var x = 0", [(file, 2, "proof")]),
            ("import Foundation", [(file, 1, "foundation")]),
        ]:
            with self.subTest(text=text):
                self.assertEqual(self.breaks({file: text}), expected)

    def test_words_and_names_with_unsafe_in_them_are_no_break(self) -> None:
        text = '// unsafe\nlet unsafeListen = "unsafe"\nenum Key { case unsafePlain }'
        self.assertEqual(self.breaks({"Sources/AgentCore/Configuration/Planted.swift": text}), [])

    def test_tests_may_use_the_system_but_not_foundation(self) -> None:
        file = "Tests/AgentCoreTests/Planted.swift"
        self.assertEqual(self.breaks({file: "import Glibc\nlet x = unsafe y"}), [])
        self.assertEqual(self.breaks({file: "import Foundation"}), [(file, 1, "foundation")])

    def test_a_file_over_the_limit_and_a_file_without_license(self) -> None:
        file = "Sources/AgentCore/HTTP/Planted.swift"
        self.assertEqual(self.breaks({file: "\n" * 497}), [])
        self.assertEqual(self.breaks({file: "\n" * 498}), [(file, 499, "length")])
        self.assertEqual(self.breaks({file: "struct X {}"}, header=""), [(file, 1, "license")])

    def test_the_command_says_where_and_fails(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "Sources/AgentCore/HTTP/Planted.swift")
            file.parent.mkdir(parents=True)
            file.write_text(HEADER + "import Foundation\n", encoding="utf-8")
            run = subprocess.run([SCRIPT, folder], capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, 1)
            self.assertIn("Sources/AgentCore/HTTP/Planted.swift:3: import Foundation", run.stdout)


if __name__ == "__main__":
    unittest.main()
