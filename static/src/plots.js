// Figures come as JSON from the server; the strict traces of plotly.js need no eval.
import Plotly from 'plotly.js/lib/core';
import scattergl from 'plotly.js/src/traces/scattergl/strict';
import bar from 'plotly.js/lib/bar';
import histogram from 'plotly.js/lib/histogram';
import violin from 'plotly.js/lib/violin';

Plotly.register([scattergl, bar, histogram, violin]);

const CONFIG = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ['select2d', 'lasso2d', 'autoScale2d'] };

function themed(layout) {
  const style = getComputedStyle(document.body);
  const ink = style.getPropertyValue('--plot-ink').trim();
  const grid = style.getPropertyValue('--plot-grid').trim();
  const axis = { color: ink, gridcolor: grid, zerolinecolor: grid, linecolor: grid };
  const axes = Object.fromEntries(Object.keys(layout).filter((key) => /^[xy]axis/.test(key))
    .map((key) => [key, { ...axis, ...layout[key] }]));
  return { ...layout, ...axes, font: { ...layout.font, color: ink }, paper_bgcolor: 'transparent', plot_bgcolor: 'transparent' };
}

function draw(place) {
  const figure = JSON.parse(document.getElementById(place.dataset.figure).textContent);
  const config = { ...CONFIG, toImageButtonOptions: { format: 'svg', filename: place.dataset.name ?? 'figure' } };
  return Plotly.react(place, figure.data, themed(figure.layout), config);
}

async function start(place) {
  await draw(place);
  place.dataset.drawn = 'yes';
  place.on('plotly_click', (event) => {
    const address = [].concat(event.points[0]?.customdata ?? []).find((value) => `${value}`.startsWith('/'));
    if (address) window.location.assign(address);
  });
}

function all(root) {
  for (const place of root.querySelectorAll('[data-figure]:not([data-drawn])')) start(place);
}

document.addEventListener('theme', () => document.querySelectorAll('[data-figure][data-drawn]').forEach(draw));
document.addEventListener('htmx:afterSwap', (event) => all(event.target));
all(document);
