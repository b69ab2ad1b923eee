// The charts of a page: each is drawn of columns of the table of figures, so that both say the same.
'use strict';

(() => {
  const drawn = new Map(); // by the chart's element
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const units = {
    '%': (value) => `${value} %`,
    ms: (value) => (value < 1000 ? `${value} ms` : value < 60000 ? `${value / 1000} s` : `${Math.round(value / 6000) / 10} m`),
    '': (value) => value.toLocaleString(),
  };

  // The figures of some columns, by rows.
  function read(table, names) {
    const heads = [...table.tHead.rows[0].cells];
    const at = names.map((name) => heads.findIndex((head) => head.dataset.column === name));
    const rows = [...table.tBodies[0].rows];
    const time = (row) => Date.parse(row.querySelector('time')?.dateTime ?? `${row.cells[0].textContent.trim()}T00:00Z`) / 1000;
    const value = (cell) => (cell.dataset.value === '' ? null : Number(cell.dataset.value));
    return {
      time: heads[0].textContent, titles: at.map((i) => heads[i].textContent), colours: at.map((i) => heads[i].dataset.colour),
      times: rows.map(time), values: at.map((i) => rows.map((row) => value(row.cells[i]))),
      links: rows.map((row) => row.querySelector('a').href),
    };
  }

  // Bars stand on those before them: the highest is drawn first.
  function stacked(values) {
    const sums = [];
    return values.map((column) => column.map((value, i) => { sums[i] = (sums[i] ?? 0) + (value ?? 0); return sums[i]; })).reverse();
  }

  function draw(element) {
    const table = document.getElementById('figures');
    if (!table) return;
    const bars = element.dataset.chart === 'bars';
    const of = read(table, element.dataset.columns.split(','));
    const data = [of.times, ...(bars ? stacked(of.values) : of.values)];
    const order = of.titles.map((_, i) => (bars ? of.titles.length - 1 - i : i));
    const says = units[element.dataset.unit];
    const [line, soft] = [colour('line'), colour('soft')];
    const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: '12px system-ui, sans-serif' };
    const step = (of.times[1] ?? of.times[0] + 3600) - of.times[0];
    const days = table.hasAttribute('data-days');
    drawn.get(element)?.destroy();
    const plot = new uPlot({
      width: element.clientWidth, height: 220, tzDate: (ts) => (days ? uPlot.tzDate(new Date(ts * 1000), 'Etc/UTC') : new Date(ts * 1000)),
      cursor: { y: false, points: { show: !bars } }, legend: { live: true },
      scales: { x: { range: (_, first, last) => [first - step / 2, last + step / 2] }, y: { range: element.dataset.unit === '%' ? [0, 100] : (_, __, most) => [0, Math.max(1, (most || 0) * 1.05)] } },
      axes: [{ ...axis, grid: { show: false } }, { ...axis, size: 64, values: (_, ticks) => ticks.map(says) }],
      series: [
        { label: of.time, value: (_, at) => (at == null ? '' : days ? new Date(at * 1000).toISOString().slice(0, 10) : new Date(at * 1000).toLocaleString()) },
        ...order.map((i) => ({
          label: of.titles[i], stroke: colour(of.colours[i]), width: bars ? 0 : 2, fill: bars ? colour(of.colours[i]) : undefined,
          paths: bars ? uPlot.paths.bars({ size: [0.8, 40] }) : undefined, points: { show: !bars && of.times.length < 40, size: 5 },
          value: (_, __, ___, at) => (at == null || of.values[i][at] == null ? '–' : says(of.values[i][at])),
        })),
      ],
    }, data, element);
    plot.over.addEventListener('click', () => { if (plot.cursor.idx != null) location.assign(of.links[plot.cursor.idx]); });
    drawn.set(element, plot);
  }

  const drawAll = () => {
    drawn.forEach((plot, element) => { if (!element.isConnected) { plot.destroy(); drawn.delete(element); } });
    document.querySelectorAll('[data-chart]').forEach(draw);
  };
  // Figures that may miss what happened just now are asked for again.
  let again;
  const askAgain = () => {
    clearTimeout(again);
    const due = document.querySelector('[data-again]')?.dataset.again;
    if (due) again = setTimeout(refresh, Number(due));
  };
  let resized;
  addEventListener('resize', () => { clearTimeout(resized); resized = setTimeout(drawAll, 100); });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
  const all = () => { drawAll(); askAgain(); };
  document.addEventListener('htmx:after:swap', all);
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', all);
  else all();
})();
