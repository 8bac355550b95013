/** How the page of the API looks: in light and dark, on a phone and on paper. */
export const DOCS_STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --paper: #ffffff; --panel: #f6f8fa; --link: #0550ae;
  --get: #0a5c36; --post: #0550ae; --patch: #7a4100; --delete: #a40e26; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9da7b3; --line: #3d444d; --paper: #0d1117; --panel: #161b22; --link: #79b8ff;
  --get: #56d364; --post: #79b8ff; --patch: #e3b341; --delete: #ff8182; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; } .skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: .5rem 1rem; }
.page { display: grid; grid-template-columns: 17rem minmax(0, 1fr); max-width: 82rem; margin: 0 auto; }
nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; padding: 2rem 1rem 2rem 1.5rem; font-size: .875rem; }
nav h2 { font-size: .875rem; margin: 1.25rem 0 .25rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a { display: block; padding: .2rem 0; text-decoration: none; color: var(--ink); overflow-wrap: anywhere; }
nav li a:hover { text-decoration: underline; }
main { padding: 2rem 1.5rem 6rem; border-left: 1px solid var(--line); min-width: 0; }
h1 { margin: 0 0 .25rem; font-size: 2rem; } h2 { margin: 3rem 0 .5rem; font-size: 1.4rem; }
h3 { margin: 0; font-size: 1rem; font-weight: 600; } h4 { margin: 1.25rem 0 .4rem; font-size: .9rem; }
.note { color: var(--soft); margin: 0 0 1rem; }
article { border: 1px solid var(--line); border-radius: 8px; margin: 1rem 0; background: var(--paper); }
article > header { padding: .75rem 1rem; background: var(--panel); border-radius: 8px; display: flex; gap: .25rem 1rem; flex-wrap: wrap; align-items: baseline; }
article > div { padding: .25rem 1rem 1rem; }
.address { font: 600 .95rem ui-monospace, monospace; overflow-wrap: anywhere; }
.method { font-weight: 700; } .GET { color: var(--get); } .POST { color: var(--post); } .PATCH { color: var(--patch); } .DELETE { color: var(--delete); }
.summary { color: var(--soft); font-weight: 400; }
code, pre { font: .875em ui-monospace, monospace; }
code { background: var(--panel); padding: .1em .3em; border-radius: 4px; overflow-wrap: anywhere; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .75rem; overflow-x: auto; margin: .5rem 0; }
pre code { padding: 0; background: none; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; } tbody th { font-weight: 400; white-space: nowrap; } td:nth-child(2) { min-width: 7rem; }
.must { color: var(--delete); font-size: .8rem; }
summary { cursor: pointer; padding: .25rem 0; }
@media (max-width: 55rem) { .page { display: block; } nav { position: static; max-height: none; padding: 1.5rem 1.5rem 0; } main { border: 0; } }
@media print { nav { display: none; } article { break-inside: avoid; } }
`
