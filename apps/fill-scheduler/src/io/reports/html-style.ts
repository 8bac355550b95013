import { KIND_LOOKS } from './activity-kinds.js'

const kinds = Object.entries(KIND_LOOKS)
  .map(([kind, { colour, text }]) => {
    const name = kind.toLowerCase()
    return `.badge.${name}{background:${colour};color:${text}}.bar.${name} rect,.key.${name}{fill:${colour};background:${colour}}.bar.${name} text{fill:${text}}`
  })
  .join('\n')

/** How HTML reports look: on a screen, on a phone, in the dark, and on paper. */
export const REPORT_STYLE = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--band:#f3f5f8;--good:#116329;--bad:#b42318;--warn:#7a4d00}
@media screen and (prefers-color-scheme:dark){:root{--paper:#14171c;--ink:#e6e9ee;--soft:#a3acb8;--line:#3a424d;--band:#1e232b;--good:#6fd38b;--bad:#ff8f85;--warn:#f0b45b}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem;max-width:80rem;background:var(--paper);color:var(--ink);font:15px/1.45 system-ui,sans-serif;overflow-wrap:anywhere}
h1{margin:0;font-size:1.6rem}h2{margin:2rem 0 .6rem;font-size:1.15rem}h3{margin:1.2rem 0 .5rem;font-size:1rem}
.facts,footer,.key-list,.place{color:var(--soft)}.facts{margin:.3rem 0 0}footer{margin-top:2rem;font-size:.85rem}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.6rem;margin:0}
.figures div{border:1px solid var(--line);border-radius:8px;padding:.55rem .65rem}
.figures dt{color:var(--soft);font-size:.78rem}.figures dd{margin:0;font-size:1.25rem;font-weight:600;font-variant-numeric:tabular-nums}
.key-list{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;margin:.2rem 0 .6rem;padding:0;list-style:none;font-size:.88rem}
.key{display:inline-block;width:.8rem;height:.8rem;border-radius:3px;margin-right:.4rem;vertical-align:-1px}
.wide{overflow-x:auto}
.gantt figure{margin:0 0 .7rem;min-width:44rem}.gantt figcaption{font-size:.85rem;font-weight:600}
.gantt svg{display:block;width:100%;height:auto}
.ground{fill:var(--band)}.mark line{stroke:var(--line)}.mark text,.lane{fill:var(--soft);font:10px system-ui,sans-serif}
.bar rect{stroke:var(--paper);stroke-width:.8}.bar text{font:600 10.5px system-ui,sans-serif}.bar text+text{font-weight:400;font-size:9px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
thead th{background:var(--band);font-size:.85rem;white-space:nowrap}.number{text-align:right}.time{white-space:nowrap}
tr.block th{background:var(--band);font-weight:600;padding-top:.45rem}tr.best td,tr.best th{font-weight:700}
.badge{display:inline-block;white-space:nowrap;padding:0 .55em;border-radius:1em;font-size:.78rem;font-weight:600;line-height:1.6}
.late{color:var(--warn);font-weight:600}.less{color:var(--good)}.more{color:var(--bad)}
.problems{margin:.3rem 0;padding-left:1.2rem}.error{color:var(--bad)}.warning{color:var(--warn)}
details{border:1px solid var(--line);border-radius:8px;margin:.7rem 0;padding:.2rem .9rem}
summary{cursor:pointer;padding:.45rem 0;font-weight:600}
${kinds}
.bar.frozen rect{opacity:.55}.bar.frozen text{fill:var(--ink)}
@media screen and (max-width:42rem){
body{padding:.9rem}.schedule thead{display:none}.schedule,.schedule tbody{display:block}
.schedule tr{display:grid;grid-template-columns:auto 1fr auto;gap:.1rem .6rem;padding:.45rem 0;border-bottom:1px solid var(--line)}
.schedule td{border:0;padding:0}.schedule tr.block{display:block;padding:0}.schedule tr.block th{display:block;border:0}
.schedule .kind{order:1}.schedule .lot{order:2;font-weight:600}.schedule .hours{order:3}.schedule .hours::after{content:' h'}
.schedule .start{order:4;grid-column:1/3}.schedule .line{order:5;text-align:right}.schedule .end{display:none}
.schedule .type{order:6;color:var(--soft)}.schedule .note{order:7;grid-column:2/4;color:var(--soft);text-align:right}
}
@media print{
@page{margin:12mm}body{padding:0;max-width:none;font-size:11px}.wide{overflow:visible}.gantt figure{min-width:0;break-inside:avoid}.gantt figcaption{font-size:9px}
.bar rect,.badge,.key,.ground,thead th,tr.block th{print-color-adjust:exact;-webkit-print-color-adjust:exact}
tr,.figures div{break-inside:avoid}tr.block{break-after:avoid}h2,h3,summary{break-after:avoid}th,td{padding:.15rem .4rem}
}
`
