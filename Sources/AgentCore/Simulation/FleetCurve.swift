// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The run of a fleet as a picture (SVG 1.1): mints a second above, hosts without a token below.
struct FleetCurve {
    let run: FleetSimulation
    let verdict: FleetVerdict

    private static let width = 900.0
    private static let left = 70.0
    private static let right = 20.0

    func svg() -> String {
        let plan = run.plan
        let end = Double(run.seconds.count - 1)
        let plot = Self.width - Self.left - Self.right
        func x(_ second: Double) -> Double { Self.left + second / end * plot }
        let down = Double(plan.outage.lowerBound.nanoseconds) / 1e9
        let up = Double(plan.outage.upperBound.nanoseconds) / 1e9
        let top = 2.3 * verdict.mean
        let mints = Panel(bottom: 250, height: 180, top: top)
        let without = Panel(bottom: 400, height: 90, top: Double(plan.hosts))
        var text = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 450" font-family="sans-serif" font-size="12">
            <title>\(plan.hosts) hosts, one issuer</title>
            <rect width="900" height="450" fill="#ffffff"/>
            <text x="70" y="22" font-size="15">\(plan.hosts) hosts that start together, tokens of \
            \(ReadableDuration(plan.life.nanoseconds)), one issuer that hands out \(run.limit) a second</text>
            <text x="70" y="42" fill="#555555">every host runs the agent's own renewal policy; \
            seed \(plan.seed); drawn by make simulate</text>

            """
        text += "<rect x=\"\(n(x(down)))\" y=\"60\" width=\"\(n(x(up) - x(down)))\" height=\"340\" fill=\"#eeeeee\"/>\n"
        text += label(x((down + up) / 2), 76, "issuer down", anchor: "middle")
        text += panel(mints, title: "mints a second", path(mints, x) { Double($0.mints) }, "#1f5fa8")
        text += panel(without, title: "hosts without a token", path(without, x) { Double($0.without) }, "#b03a2e")
        for (value, word) in [(verdict.mean, "mean"), (2 * verdict.mean, "twice the mean")] {
            let y = mints.y(value)
            text += line(Self.left, y, Self.width - Self.right, y, "#888888", " stroke-dasharray=\"4 4\"")
            text += label(Self.width - Self.right, y - 4, "\(word), \(Int(value))", anchor: "end")
        }
        for minute in stride(from: 0.0, through: end / 60, by: 15) {
            text += line(x(minute * 60), 400, x(minute * 60), 405, "#333333", "")
            text += label(x(minute * 60), 420, "\(Int(minute)) min", anchor: "middle")
        }
        return text + "</svg>\n"
    }

    private struct Panel {
        let bottom: Double
        let height: Double
        let top: Double

        func y(_ value: Double) -> Double { bottom - min(value, top) / top * height }
    }

    /// One point for every ten seconds, with the least and the most of them, so that no peak is smoothed away.
    private func path(_ panel: Panel, _ x: (Double) -> Double, _ value: (FleetSimulation.Second) -> Double) -> String {
        var upper = ""
        var lower: [String] = []
        for start in stride(from: 0, to: run.seconds.count - 1, by: 10) {
            let values = run.seconds[start..<min(start + 10, run.seconds.count - 1)].map(value)
            guard let most = values.max(), let least = values.min() else { continue }
            let place = n(x(Double(start) + 5))
            upper += (upper.isEmpty ? "M" : "L") + "\(place) \(n(panel.y(most)))"
            lower.append("L\(place) \(n(panel.y(least)))")
        }
        return upper + lower.reversed().joined() + "Z"
    }

    private func panel(_ panel: Panel, title: String, _ path: String, _ color: String) -> String {
        label(Self.left, panel.bottom - panel.height - 6, title, anchor: "start")
            + line(Self.left, panel.bottom, Self.width - Self.right, panel.bottom, "#333333", "")
            + label(Self.left - 6, panel.bottom + 4, "0", anchor: "end")
            + label(Self.left - 6, panel.bottom - panel.height + 4, "\(Int(panel.top))", anchor: "end")
            + "<path d=\"\(path)\" fill=\"\(color)\" stroke=\"\(color)\" stroke-width=\"0.8\"/>\n"
    }

    private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ color: String, _ extra: String)
        -> String
    {
        "<line x1=\"\(n(x1))\" y1=\"\(n(y1))\" x2=\"\(n(x2))\" y2=\"\(n(y2))\" stroke=\"\(color)\"\(extra)/>\n"
    }

    private func label(_ x: Double, _ y: Double, _ text: String, anchor: String) -> String {
        "<text x=\"\(n(x))\" y=\"\(n(y))\" text-anchor=\"\(anchor)\" fill=\"#333333\" stroke=\"#ffffff\" stroke-width=\"3\" paint-order=\"stroke\">\(text)</text>\n"
    }

    /// A tenth of a unit is finer than any screen.
    private func n(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}
