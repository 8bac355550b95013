/** How the element looks. Everything that a page may want otherwise is a custom property with its default, or a part. */
export const STYLE = `
:host {
  display: block;
  --_accent: var(--holdfast-accent, light-dark(#0a6b5a, #46cbb0));
  --_on-accent: var(--holdfast-on-accent, light-dark(#ffffff, #06201b));
  --_ink: var(--holdfast-ink, light-dark(#12201c, #e7efec));
  --_muted: var(--holdfast-muted, light-dark(#52625c, #9aaba5));
  --_surface: var(--holdfast-surface, transparent);
  --_track: var(--holdfast-track, light-dark(#e0e6e3, #26322f));
  --_line: var(--holdfast-line, light-dark(#84938d, #61736d));
  --_warn: var(--holdfast-warn, light-dark(#8a5300, #f0b45c));
  --_bad: var(--holdfast-bad, light-dark(#a8261e, #ff9285));
  --_tone: var(--_accent);
  color: var(--_ink);
  font: var(--holdfast-font, 400 0.9375rem/1.45 system-ui, sans-serif);
}
:host([hidden]) { display: none; }
:host([theme='light']) { color-scheme: light; }
:host([theme='dark']) { color-scheme: dark; }
:host([theme='auto']) { color-scheme: light dark; }

*, *::before { box-sizing: border-box; }
p, dl, dd { margin: 0; }
[hidden] { display: none !important; }

.root { padding: var(--holdfast-padding, 0); border-radius: var(--holdfast-radius, 0.5em); background: var(--_surface); }
.root[data-look='stalled'], .root[data-look='cancelled'] { --_tone: var(--_warn); }
.root[data-look='failed'], .root[data-look='expired'], .root[data-look='unknown'] { --_tone: var(--_bad); }
.root[data-away] { --_tone: var(--_muted); }

.head { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0.25em 0.75em; }
.titles { flex: 1 1 10em; min-width: 0; }
.label {
  display: -webkit-box;
  overflow: hidden;
  font-weight: 600;
  line-height: 1.3;
  overflow-wrap: anywhere;
  -webkit-box-orient: vertical;
  -webkit-line-clamp: 2;
}
.state { color: var(--_muted); font-size: 0.875em; }
.percent { font-size: var(--holdfast-percent-size, 1.5em); font-weight: 650; line-height: 1.1; font-variant-numeric: tabular-nums; }

.cancel {
  min-height: 2.25em;
  padding: 0 0.9em;
  border: 1px solid var(--_line);
  border-radius: 0.4em;
  background: transparent;
  color: inherit;
  font: inherit;
  font-size: 0.9375em;
  cursor: pointer;
}
.cancel:hover:not([aria-disabled='true']) { border-color: var(--_bad); color: var(--_bad); }
.cancel[aria-disabled='true'] { opacity: 0.55; cursor: default; }
.cancel:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }

.bar {
  height: var(--holdfast-bar-height, 0.625em);
  margin: 0.5em 0;
  overflow: hidden;
  border-radius: var(--holdfast-bar-radius, 1em);
  background: var(--_track);
}
.fill {
  width: 100%;
  height: 100%;
  border-radius: inherit;
  background: var(--_tone);
  transform: translateX(-100%);
  transition: transform 200ms linear;
}
.bar.unknown .fill { width: 30%; transform: none; transition: none; animation: sweep 1.6s ease-in-out infinite alternate; }
.bar.unknown.still .fill {
  width: 100%;
  animation: none;
  background: repeating-linear-gradient(-45deg, var(--_tone) 0 0.6em, transparent 0.6em 1.2em);
  opacity: 0.4;
}
.root[data-away] .fill { animation-play-state: paused; }
@keyframes sweep {
  from { transform: translateX(-20%); }
  to { transform: translateX(255%); }
}

.figures { display: flex; flex-wrap: wrap; gap: 0 1.25em; min-height: 1.45em; font-size: 0.875em; font-variant-numeric: tabular-nums; }
.item {
  height: 1.5em;
  overflow: hidden;
  color: var(--_muted);
  font: 0.8125em/1.5 ui-monospace, monospace;
  text-align: left;
  text-overflow: ellipsis;
  white-space: nowrap;
  direction: rtl;
}
.item.said { font-family: inherit; direction: ltr; }
.item span { unicode-bidi: plaintext; }
.result { display: grid; grid-template-columns: auto 1fr; gap: 0 1.25em; margin-top: 0.4em; font-size: 0.875em; }
.result dt { color: var(--_muted); }
.result dd { overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.result dd.alone { grid-column: 1 / -1; }
.problem { color: var(--_bad); font-size: 0.875em; overflow-wrap: anywhere; }
.note { color: var(--_warn); font-size: 0.875em; }
.aloud { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

@media (prefers-reduced-motion: reduce) {
  .fill { transition: none; }
  .bar.unknown .fill {
    width: 100%;
    animation: none;
    background: repeating-linear-gradient(-45deg, var(--_tone) 0 0.6em, transparent 0.6em 1.2em);
  }
}
@media (forced-colors: active) {
  .bar { border: 1px solid CanvasText; }
  .fill { forced-color-adjust: none; background: Highlight; }
}
`
