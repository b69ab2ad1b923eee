// Forms for events: JSON is checked while somebody types, examples are filled in, and files are read here, in the browser.
'use strict';

(() => {
  const faultOf = (text) => {
    try { JSON.parse(text); return ''; } catch (error) { return error.message; }
  };

  function check(field) {
    const said = document.getElementById(field.getAttribute('aria-describedby'));
    if (!said) return;
    if (!field.value.trim()) { said.textContent = ''; field.removeAttribute('aria-invalid'); return; }
    const fault = faultOf(field.value);
    said.textContent = fault ? `${said.dataset.bad} ${fault}` : said.dataset.good;
    field.toggleAttribute('aria-invalid', false);
    if (fault) field.setAttribute('aria-invalid', 'true');
  }

  // Replaces a field's text so that the browser can undo it.
  function replace(field, text) {
    field.focus();
    field.select();
    if (!document.execCommand('insertText', false, text)) field.value = text;
    check(field);
  }

  // The example of an event type, in place of nothing or of another example, unless somebody asks for it.
  async function fill(form, asked) {
    const type = form.elements.event.value.trim();
    const data = form.elements['data:json'];
    form.example ??= data.defaultValue;
    if (!type || (!asked && data.value !== '' && data.value !== form.example)) return;
    const answer = await fetch(`${form.dataset.example}?event=${encodeURIComponent(type)}`);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const example = page.querySelector('textarea[name="data:json"]')?.value;
    if (!example || form.elements.event.value.trim() !== type) return;
    form.example = example;
    if (asked) replace(data, example);
    else { data.value = example; check(data); }
  }

  // A batch: an array of events, an object with one, or an event on each line. What it says stays as it is: numbers may be
  // longer than a browser can keep them.
  function readBatch(text, said) {
    let events;
    let body;
    if (!faultOf(text) && !/^\s*\{[^]*\}\s*\n\s*\{/.test(text)) {
      const read = JSON.parse(text);
      if (Array.isArray(read)) {
        events = read;
        body = `{"events":${text}}`;
      } else if (Array.isArray(read?.events)) {
        ({ events } = read);
        body = text;
      }
    }
    if (!events) {
      const lines = text.split('\n').map((line, n) => ({ line: line.trim(), n: n + 1 })).filter(({ line }) => line);
      const wrong = lines.find(({ line }) => faultOf(line));
      if (wrong) throw new Error([said.bad, said.line.replace('%d', wrong.n), faultOf(wrong.line)].join(' '));
      events = lines.map(({ line }) => JSON.parse(line));
      body = `{"events":[${lines.map(({ line }) => line).join(',')}]}`;
    }
    if (events.length === 0) throw new Error(said.none);
    if (events.length > 1000) throw new Error(said.many.replace('%d', events.length));
    const size = new Blob([body]).size;
    if (size > 4 << 20) throw new Error(said.large.replace('%s', bytes(size)));
    return { events, body, size };
  }

  const bytes = (size) => (size < 1 << 20 ? `${(size / 1024).toFixed(1)} KiB` : `${(size / (1 << 20)).toFixed(1)} MiB`);

  function summary(events) {
    const counts = new Map();
    events.forEach((one) => counts.set(String(one?.event), (counts.get(String(one?.event)) ?? 0) + 1));
    const types = [...counts].sort((a, b) => b[1] - a[1]);
    return types.slice(0, 5).map(([type, count]) => `${type} × ${count}`).join(', ') + (types.length > 5 ? ', …' : '');
  }

  async function takeBatch(form, file) {
    const pasted = form.elements['events:json'];
    const whole = form.elements[':json'];
    const said = document.getElementById('batch-read');
    pasted.disabled = Boolean(file);
    whole.disabled = true;
    said.classList.remove('wrong');
    const text = file ? await file.text() : pasted.value;
    if (!text.trim()) { said.textContent = ''; return; }
    try {
      const { events, body, size } = readBatch(text, said.dataset);
      whole.value = body;
      whole.disabled = false;
      said.textContent = `${said.dataset.good.replace('%d', events.length).replace('%s', bytes(size))} ${summary(events)}`;
    } catch (error) {
      said.textContent = error.message;
      said.classList.add('wrong');
    }
  }

  let typed;
  document.addEventListener('input', ({ target }) => {
    if (!target.matches?.('textarea[data-json], textarea[data-batch]')) return;
    clearTimeout(typed);
    typed = setTimeout(() => (target.matches('[data-batch]') ? takeBatch(target.form) : check(target)), 250);
  });

  document.addEventListener('change', async ({ target }) => {
    if (target.matches('input[type=file][data-batch]')) takeBatch(target.form, target.files[0]);
    if (target.matches('input[type=file][data-file]') && target.files[0]) {
      const field = target.form.querySelector('textarea[data-json]');
      field.value = await target.files[0].text();
      check(field);
    }
    if (target.name === 'event' && target.form?.dataset.example) fill(target.form, false);
  });

  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('[data-fills]');
    if (!button) return;
    event.preventDefault();
    fill(button.form, true);
  });
})();
