"""The style sheet of the page; its colours follow the browser's light or dark mode."""

CSS = """
:root { color-scheme: light dark;
  --paper: #f7f7f5; --card: #ffffff; --ink: #1d2125; --soft: #646c74; --rule: #e1e3e5;
  --bar: #2f6fb0; --bar2: #c2631a; --bar3: #7a4fb5; --bar4: #2e8b74;
  --wrong: #b3261e; --wrong-bg: #fbdedb;
  --right: #1c6e3c; --right-bg: #d5f0de; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #15181b; --card: #1e2226; --ink: #e7e9eb; --soft: #9aa3ab; --rule: #343a40;
  --bar: #6aa9e9; --bar2: #e79a58; --bar3: #b79bea; --bar4: #6fcbb2;
  --wrong: #ff9d94; --wrong-bg: #54211d;
  --right: #86dca4; --right-bg: #1c4429; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 0 0 10px; }
h3 { font-size: 15px; margin: 18px 0 6px; }
p { margin: 6px 0; max-width: 80ch; }
.soft { color: var(--soft); }
.small { font-size: 13px; }
nav { margin: 14px 0 18px; display: flex; flex-wrap: wrap; gap: 6px 16px; }
a { color: var(--bar); text-decoration: none; }
a:hover { text-decoration: underline; }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
  padding: 18px 20px; margin: 0 0 18px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 12px;
  margin: 0 0 18px; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
  padding: 14px 16px; }
.card b { display: block; font-size: 28px; line-height: 1.2; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--rule);
  vertical-align: middle; }
th { font-weight: 600; color: var(--soft); font-size: 13px; vertical-align: bottom; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.n { white-space: nowrap; }
th.n { overflow-wrap: break-word; min-width: 5em; }
td.name { overflow-wrap: anywhere; min-width: 4em; }
td.broad { min-width: 13em; }
td.track { width: 34%; min-width: 130px; padding: 5px 18px 5px 8px; }
td.track.long { width: 64%; }
svg { display: block; width: 100%; height: 18px; overflow: visible; }
.bar { height: 12px; border-radius: 2px; margin: 1px 0; }
.dot { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 7px; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 8px 36px; }
.t { unicode-bidi: isolate-override; direction: ltr; white-space: pre-wrap;
  font-family: "DejaVu Sans Mono", "Noto Sans Mono", ui-monospace, monospace; font-size: 14px;
  overflow-wrap: anywhere; }
.t del { background: var(--right-bg); color: var(--right); text-decoration: none;
  border-radius: 3px; }
.t ins { background: var(--wrong-bg); color: var(--wrong); text-decoration: none;
  border-radius: 3px; }
.line { border-top: 1px solid var(--rule); padding: 12px 0; }
.line:first-of-type { border-top: 0; }
.line img { display: block; max-width: 100%; background: #fff; border: 1px solid var(--rule);
  border-radius: 4px; margin: 6px 0; }
.line dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 0; }
.line dt { color: var(--soft); font-size: 13px; padding-top: 2px; max-width: 16em;
  overflow-wrap: anywhere; }
.line dd { margin: 0; }
.good { color: var(--right); } .bad { color: var(--wrong); }
details summary { cursor: pointer; color: var(--bar); margin-top: 8px; }
@media print { body { background: #fff; } section, .card { break-inside: avoid; }
  nav { display: none; } }
"""
