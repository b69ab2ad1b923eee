// What the pages do beyond HTML. Every page can be read, and every form sent, without it.
'use strict';

const each = (within, selector, act) => within.querySelectorAll(selector).forEach(act);
const byId = (id) => document.getElementById(id);

// Times in the viewer's zone; the exact one is the title.
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const today = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
function writeTime(element) {
  const at = new Date(element.dateTime);
  element.textContent = at.toDateString() === new Date().toDateString() ? today.format(at) : clock.format(at);
}

// Countdowns.
function span(seconds) {
  const [d, h, m, s] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  if (d) return `${d} d ${h} h`;
  if (h) return `${h} h ${m} m`;
  return m ? `${m} m ${s} s` : `${s} s`;
}
function countDown() {
  each(document, '[data-until]', (element) => {
    const left = Math.round((new Date(element.dateTime) - Date.now()) / 1000);
    const text = left > 0 ? `in ${span(left)}` : 'now';
    if (element.textContent !== text) element.textContent = text;
  });
}

// A word to whoever has pressed a button.
let saidFor;
function say(text) {
  byId('said').textContent = text;
  clearTimeout(saidFor);
  saidFor = setTimeout(() => { byId('said').textContent = ''; }, 4000);
}

// Forms that make a call: the answer goes into the form's .outcome, or into the dialog.
async function send(form, button, address) {
  if (form.classList.contains('htmx-request')) return; // it is under way
  const fields = new FormData(form);
  if (button?.name) fields.append(button.name, button.value);
  const body = form.enctype === 'multipart/form-data' ? fields : new URLSearchParams(fields);
  if (form.matches('[data-changes]')) leaveOutTheSame(form, body);
  const outcome = form.querySelector('.outcome');
  each(form, '[aria-invalid]', (field) => { field.removeAttribute('aria-invalid'); });
  each(form, '[data-at-field]', (said) => { said.remove(); });
  outcome.replaceChildren();
  form.classList.add('htmx-request');
  try {
    const answer = await fetch(address, { method: 'POST', body, headers: { 'HX-Request': 'true' } });
    if (answer.headers.get('HX-Redirect')) { location.assign(answer.headers.get('HX-Redirect')); return; }
    const text = await answer.text();
    if (!answer.ok) {
      outcome.innerHTML = text;
      mark(form, outcome);
      return;
    }
    const done = !address.endsWith('/curl');
    const key = form.elements._key;
    if (done && !form.elements._next?.value) form.classList.remove('is-dirty');
    if (done && key) key.value = crypto.randomUUID?.() ?? String(Math.random());
    if (done && form.matches('[data-results]')) {
      outcome.innerHTML = text;
      outcome.focus();
      return;
    }
    if (text) {
      byId('dialog-body').innerHTML = text;
      byId('dialog').showModal();
      if (done) refresh();
      return;
    }
    const said = JSON.parse(answer.headers.get('HX-Trigger') || '{}')['postrider:done'];
    if (said) say(said);
    if (answer.headers.get('HX-Location')) location.assign(answer.headers.get('HX-Location'));
    else refresh();
  } catch {
    outcome.textContent = 'Postrider cannot be reached. What you typed is still here; try again.';
  } finally {
    form.classList.remove('htmx-request');
  }
}

// A form that changes something sends the members of which a field was changed; all if none was.
function leaveOutTheSame(form, body) {
  const member = (name) => name.replace(/[.:].*$/, '');
  const isChanged = (field) => {
    if ('send' in field.dataset) return true;
    if (field.type === 'checkbox' || field.type === 'radio') return field.checked !== field.defaultChecked;
    if (field.options) return field.selectedIndex !== Math.max(0, [...field.options].findIndex((one) => one.defaultSelected));
    return field.value !== field.defaultValue;
  };
  const changed = new Set([...form.elements].filter((field) => !field.name.startsWith('_') && isChanged(field)).map((field) => member(field.name)));
  changed.delete('');
  if (!changed.size) return;
  [...new Set(body.keys())].forEach((name) => { if (!name.startsWith('_') && !changed.has(member(name))) body.delete(name); });
}

// The fields that an answer names are marked, and the first gets the focus.
function mark(form, outcome) {
  let first;
  each(outcome, '[data-field]', (line) => {
    let name = line.dataset.field.replace(/\[(\d+)\]/g, '.$1');
    let field;
    while (!field && name) {
      field = [...form.elements].find((one) => one.type !== 'hidden' && (one.name === name || one.name.startsWith(`${name}:`)));
      name = name.slice(0, Math.max(0, name.lastIndexOf('.')));
    }
    if (!field) return;
    const said = document.createElement('span');
    said.id = `wrong-${field.name}`;
    said.className = 'wrong';
    said.dataset.atField = '';
    said.textContent = line.lastChild.textContent.replace(/^: /, '');
    field.after(said);
    for (let around = field.closest('details'); around; around = around.parentElement.closest('details')) around.open = true;
    field.setAttribute('aria-invalid', 'true');
    field.setAttribute('aria-describedby', said.id);
    first ??= field;
  });
  (first ?? outcome).focus?.();
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (!form.matches('[data-call]')) return;
  event.preventDefault();
  each(form, '[data-same]', (field) => { field.value = byId(field.dataset.same).value; });
  const button = event.submitter;
  const question = button?.dataset.confirm ?? form.dataset.confirm;
  const shows = button?.hasAttribute('data-shows-call');
  if (question && !shows && !confirm(question)) return;
  send(form, button, shows ? form.action.replace(/\/call$/, '/curl') : form.action);
});

document.addEventListener('click', (event) => {
  const copies = event.target.closest('[data-copy]');
  if (copies) {
    navigator.clipboard.writeText(copies.dataset.copy).then(() => {
      copies.classList.add('is-copied');
      say('Copied');
      setTimeout(() => copies.classList.remove('is-copied'), 2000);
    });
  }
  if (event.target.closest('[data-close]')) byId('dialog').close();
  const folded = byId(event.target.closest('a[href^="#"]')?.hash.slice(1));
  if (folded?.matches('details')) folded.open = true;
});

document.addEventListener('input', (event) => event.target.closest('#live form')?.classList.add('is-dirty'));

// A field of which there may be more: one is always empty.
document.addEventListener('input', (event) => {
  const field = event.target;
  if (!field.matches('[data-another]') || !field.value || field.nextElementSibling?.matches('[data-another]')) return;
  const next = field.cloneNode();
  next.value = '';
  next.required = false;
  next.removeAttribute('id');
  next.removeAttribute('aria-invalid');
  field.after(next);
});

// Several at once.
document.addEventListener('change', (event) => {
  const form = event.target.closest('form');
  const bar = form?.querySelector('[data-several]');
  if (!bar || event.target.type !== 'checkbox') return;
  const boxes = [...form.querySelectorAll('input[name=_call]')];
  if (event.target.matches('[data-choose-all]')) boxes.forEach((box) => { box.checked = event.target.checked; });
  const chosen = boxes.filter((box) => box.checked).length;
  bar.hidden = chosen === 0;
  bar.querySelector('[data-count]').textContent = `${chosen} chosen`;
});

// What is on the screen changes by itself: a stream says that something has changed, and the page asks for itself.
let stream;
let asking = false;
let askAgain = false;
async function refresh() {
  if (byId('live')?.querySelector('.is-dirty')) return; // what somebody types, or has chosen, stays
  if (asking) { askAgain = true; return; }
  asking = true;
  try {
    const unfolded = [...document.querySelectorAll('#live details[id]')].map((one) => [one.id, one.open]);
    await htmx.ajax('GET', location.pathname + location.search, { target: '#live', select: '#live', swap: 'outerMorph' });
    for (const [id, open] of unfolded) if (byId(id)) byId(id).open = open;
  } finally {
    asking = false;
    if (askAgain) { askAgain = false; refresh(); }
  }
}
function follow() {
  stream?.close();
  stream = undefined;
  const address = byId('live')?.dataset.live;
  if (!address || document.hidden) return;
  stream = new EventSource(address);
  stream.addEventListener('changed', refresh);
  stream.addEventListener('signed-out', () => location.reload());
}
document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); follow(); });

function prepare(within) {
  each(within, 'time:not([data-until])', writeTime);
  countDown();
}
document.addEventListener('htmx:after:swap', () => prepare(document));
document.addEventListener('DOMContentLoaded', () => {
  // Whoever has closed what was made is led on, as the button there does.
  byId('dialog')?.addEventListener('close', () => { byId('dialog-body').querySelector('[data-next]')?.click(); });
  prepare(document);
  setInterval(countDown, 1000);
  follow();
});

// A link to the portal has its secret as a fragment, which browsers send to nobody: it is sent here, and forgotten.
async function openPortal() {
  const base = document.querySelector('[data-portal]')?.dataset.portal;
  const link = location.hash.slice(1);
  if (!base || !/^[\w-]{40,}$/.test(link)) return;
  history.replaceState(null, '', location.pathname + location.search);
  try {
    const answer = await fetch(`${base}/open`, { method: 'POST', body: new URLSearchParams({ link }) });
    if (answer.ok) location.reload();
    else if (byId('door')) byId('door').textContent = await answer.text();
  } catch {
    if (byId('door')) byId('door').textContent = 'Postrider cannot be reached. Ask for another link and try again.';
  }
}
document.addEventListener('DOMContentLoaded', openPortal);
