// Bodies: JSON is indented and coloured, what is long is folded and can be searched. All of it in slices, so that 1 MiB does not
// stop the page, and as text: nothing in a body ever becomes HTML.
'use strict';

(() => {
  const folded = 40; // lines that are shown at first
  const few = 50; // lines that are not worth folding
  const most = 5000; // lines that one more press shows
  const longLine = 4000; // characters of a line that are shown
  const mostFound = 200; // lines that a search shows
  const around = 2; // lines shown before and after one that is found
  const deepest = 40; // beyond this depth indentation grows no more

  // What has been made of each element.
  const known = new WeakMap();

  // Lets the page do something else.
  const rest = () => new Promise((go) => { setTimeout(go, 0); });
  const slice = async (state, at) => {
    if (performance.now() - state.since < 12) return;
    await rest();
    state.since = performance.now();
    if (state.stopped) throw new Error(`stopped at ${at}`);
  };

  // One token of JSON: white space, a text (perhaps without its end, where a body is cut off), a word or number, or a sign.
  const token = /\s+|"[^"\\]*(?:\\[^][^"\\]*)*"?|-?[0-9][0-9.eE+-]*|true|false|null|[{}[\],:]/y;

  // Lines of indented JSON, byte for byte what the body has but for the space between; null when it is something else.
  async function linesOfJSON(text, state) {
    const lines = [];
    let line = '';
    let depth = 0;
    const end = () => { lines.push(line); line = '  '.repeat(Math.min(depth, deepest)); };
    token.lastIndex = 0;
    let at = 0;
    let before = '';
    let parts = 0;
    while (at < text.length) {
      token.lastIndex = at;
      const found = token.exec(text);
      if (!found) return null;
      at = token.lastIndex;
      const part = found[0];
      if (/^\s/.test(part)) continue;
      if (part === '}' || part === ']') {
        depth = Math.max(0, depth - 1);
        if (before !== '{' && before !== '[') end();
        line += part;
      } else {
        if (before === '{' || before === '[' || before === ',') end();
        line += part === ':' ? ': ' : part;
        if (part === '{' || part === '[') depth++;
      }
      before = part;
      if (++parts % 200 === 0) await slice(state, at);
    }
    lines.push(line);
    return lines;
  }

  async function linesOf(text, state) {
    if (/^\s*[{["]/.test(text)) {
      const lines = await linesOfJSON(text, state);
      if (lines) return { lines, json: true };
    }
    return { lines: text.split(/\r\n|\n|\r/), json: false };
  }

  const coloured = /("[^"\\]*(?:\\[^][^"\\]*)*"?)(\s*:)?|\b(?:true|false|null)\b|-?\b[0-9][0-9.eE+-]*/g;

  // The parts of a line with what they are.
  function partsOf(line, json) {
    if (!json) return [['', line]];
    const parts = [];
    let at = 0;
    for (const found of line.matchAll(coloured)) {
      if (found.index > at) parts.push(['', line.slice(at, found.index)]);
      const text = found[1] ?? found[0];
      const kind = found[2] !== undefined ? 'name' : found[1] !== undefined ? 'text' : 'value';
      parts.push([kind, text]);
      at = found.index + text.length;
    }
    if (at < line.length) parts.push(['', line.slice(at)]);
    return parts;
  }

  // A line as an element, with the places of a search marked.
  function element(line, json, wanted) {
    const row = document.createElement('span');
    row.className = 'line';
    const cut = line.length > longLine;
    const shown = cut ? line.slice(0, longLine) : line;
    const places = wanted ? placesOf(shown.toLowerCase(), wanted) : [];
    let at = 0;
    for (const [kind, text] of partsOf(shown, json)) {
      const into = kind ? document.createElement('span') : row;
      if (kind) { into.className = `is-${kind}`; row.append(into); }
      let from = 0;
      for (const place of places) {
        const start = Math.max(place - at, from);
        const end = Math.min(place + wanted.length - at, text.length);
        if (start >= end) continue;
        into.append(text.slice(from, start));
        const mark = document.createElement('mark');
        mark.textContent = text.slice(start, end);
        into.append(mark);
        from = end;
      }
      into.append(text.slice(from));
      at += text.length;
    }
    row.append(cut ? ' …\n' : '\n');
    return row;
  }

  function placesOf(text, wanted) {
    const places = [];
    for (let at = text.indexOf(wanted); at >= 0 && places.length < 1000; at = text.indexOf(wanted, at + wanted.length)) places.push(at);
    return places;
  }

  // Shows lines from the end of what is shown on, up to a number.
  async function showUpTo(content, count) {
    const { state, pre, turn } = content;
    while (turn === content.turn && content.shown < Math.min(count, content.lines.length)) {
      const part = document.createElement('span');
      part.className = content.shown < folded ? '' : 'lines';
      for (let n = 0; n < 200 && content.shown < Math.min(count, content.lines.length); n++, content.shown++) {
        part.append(element(content.lines[content.shown], content.json));
      }
      pre.append(part);
      await slice(state, content.shown);
    }
    tell(content);
  }

  // Says how much there is, and offers the rest.
  function tell(content) {
    const { more, note } = content;
    const button = more.querySelector('button');
    const left = content.from || content.shown < content.lines.length;
    const cut = content.lines.slice(0, content.shown).some((line) => line.length > longLine);
    more.hidden = !left && !cut;
    button.hidden = !left;
    if (content.lines.length - content.shown > most) button.textContent = button.dataset.further;
    const counted = left && !content.from ? note.dataset.lines.replace('%d', content.shown).replace('%d', content.lines.length) : '';
    note.textContent = [counted, cut ? note.dataset.cut : ''].filter(Boolean).join(' · ');
  }

  async function read(content, text) {
    const { lines, json } = await linesOf(text, content.state);
    content.lines = lines;
    content.json = json;
    content.shown = 0;
    content.pre.replaceChildren();
  }

  // Gets what the page does not have of a body.
  async function whole(content) {
    if (!content.from) return true;
    try {
      const answer = await fetch(content.from);
      if (!answer.ok) throw new Error(answer.status);
      const text = await answer.text();
      content.from = '';
      await read(content, text);
      return true;
    } catch {
      content.note.textContent = content.note.dataset.failed;
      return false;
    }
  }

  // Only the lines that have what is searched, with those around, as long as something is searched.
  async function search(content) {
    const turn = ++content.turn;
    const wanted = content.input.value.toLowerCase();
    if (!wanted) {
      const before = Math.max(content.shown, folded);
      content.said.textContent = '';
      content.pre.replaceChildren();
      content.shown = 0;
      await showUpTo(content, before);
      return;
    }
    if (!await whole(content)) return;
    const rows = document.createDocumentFragment();
    let count = 0;
    let last = -1;
    for (let n = 0; n < content.lines.length; n++) {
      if (n % 500 === 0) await slice(content.state, n);
      if (turn !== content.turn) return; // something else is searched by now
      if (!content.lines[n].toLowerCase().includes(wanted)) continue;
      if (++count > mostFound) continue;
      const from = Math.max(last + 1, n - around);
      if (last >= 0 && from > last + 1) rows.append(element('…'));
      const end = Math.min(n + around, content.lines.length - 1);
      for (let row = from; row <= end; row++) rows.append(element(content.lines[row], content.json, wanted));
      last = Math.max(last, end);
    }
    if (count > mostFound) rows.append(element('…'));
    content.pre.replaceChildren(rows);
    content.more.hidden = true;
    const { one, several, none } = content.said.dataset;
    content.said.textContent = count === 0 ? none : count === 1 ? one : several.replace('%d', count);
  }

  async function begin(box) {
    const pre = box.querySelector('pre');
    known.get(box)?.stop();
    const content = {
      state: { since: performance.now(), stopped: false }, turn: 0, shown: 0, lines: [], from: box.dataset.from || '', pre,
      more: box.querySelector('.content-more'), note: box.querySelector('.content-more span'),
      input: box.querySelector('.content-bar input'), said: box.querySelector('.content-bar output'),
      stop: () => { content.state.stopped = true; },
    };
    known.set(box, content);
    const text = pre.textContent;
    box.dataset.ready = box.dataset.content;
    await read(content, text);
    const short = content.lines.length <= few && !content.from;
    box.querySelector('.content-bar').hidden = short && content.lines.every((line) => line.length <= longLine);
    await showUpTo(content, short ? few : folded);
  }

  const quietly = (work) => work.catch((error) => { if (!/^stopped/.test(error.message)) throw error; });

  function prepare() {
    document.querySelectorAll('[data-content]').forEach((box) => {
      if (box.dataset.ready !== box.dataset.content) quietly(begin(box));
    });
  }

  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('[data-more]');
    const content = button && known.get(button.closest('[data-content]'));
    if (!content) return;
    button.disabled = true;
    quietly(whole(content).then((ok) => (ok ? showUpTo(content, content.shown + most) : undefined)).finally(() => { button.disabled = false; }));
  });

  let typed;
  document.addEventListener('input', (event) => {
    const content = event.target.matches('.content-bar input') && known.get(event.target.closest('[data-content]'));
    if (!content) return;
    clearTimeout(typed);
    typed = setTimeout(() => quietly(search(content)), 150);
  });

  // A page that asks for itself leaves alone what has not changed: what is unfolded, opened or searched stays so.
  htmx.registerExtension('kept', {
    htmx_before_morph_node(old, { newNode }) {
      if (old.dataset?.ready && old.dataset.ready === newNode.dataset?.content) return false;
      if (old.tagName === 'DETAILS' && newNode.tagName === 'DETAILS') newNode.open = old.open;
      return true;
    },
  });
  document.addEventListener('htmx:after:swap', prepare);
  document.addEventListener('DOMContentLoaded', prepare);
})();
