import htmx from 'htmx.org';
import '@tabler/core/dist/js/tabler.esm.js';
import { keyboardTables } from './tables.js';

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.selfRequestsOnly = true;
htmx.config.historyCacheSize = 0;
// 304: nothing changed, keep what is shown; 286 stops a poll (htmx's own); 4xx and 5xx keep the page.
htmx.config.responseHandling = [
  { code: '204|304', swap: false },
  { code: '[23]..', swap: true },
  { code: '422', swap: true },
  { code: '[45]..', swap: false, error: true },
];

document.addEventListener('htmx:configRequest', (event) => {
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  if (token) event.detail.headers['X-CSRFToken'] = token;
  const tag = event.detail.elt.dataset.etag;
  if (tag) event.detail.headers['If-None-Match'] = tag;
});

document.addEventListener('click', (event) => {
  const theme = event.target.closest('[data-theme]');
  if (theme) window.setTheme(theme.dataset.theme);
  const copy = event.target.closest('[data-copy]');
  if (copy) {
    navigator.clipboard?.writeText(copy.dataset.copy).then(() => {
      copy.dataset.copied = 'yes';
      setTimeout(() => delete copy.dataset.copied, 1500);
    });
  }
});

document.addEventListener('change', (event) => {
  if (event.target.matches('[data-submit-on-change]')) event.target.form.requestSubmit();
  if (event.target.matches('[data-presets]')) fillPreset(event.target);
  if (event.target.form) onlyUsed(event.target.form);
});

document.addEventListener('submit', (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// A filter form's address holds only what was filled in.
document.addEventListener('submit', (event) => {
  if (!event.target.matches('[data-clean-address]')) return;
  for (const input of event.target.elements) if (input.name && ['', 'unknown'].includes(input.value)) input.disabled = true;
});
window.addEventListener('pageshow', () => {
  for (const input of document.querySelectorAll('[data-clean-address] :disabled')) input.disabled = false;
});

function fillPreset(select) {
  const presets = JSON.parse(document.getElementById(select.dataset.presets).textContent);
  for (const [name, value] of Object.entries(presets[select.value] ?? {})) {
    const input = select.form.elements[name];
    if (!input) continue;
    if (input.type === 'checkbox') input.checked = value;
    else input.value = value;
  }
}

// A field that only another choice uses is not shown, unless something is wrong with it.
function onlyUsed(root) {
  for (const place of root.querySelectorAll('[data-used-with]')) {
    const [name, value] = place.dataset.usedWith.split('=');
    const choice = place.closest('form')?.elements[name];
    place.hidden = choice && choice.value !== value && !place.querySelector('.is-invalid');
  }
}
document.addEventListener('htmx:afterSwap', () => onlyUsed(document));
onlyUsed(document);

keyboardTables();

// Elapsed times go on between two answers of the server.
setInterval(tick, 1000);
document.addEventListener('htmx:afterSwap', tick);
tick();

function tick() {
  for (const place of document.querySelectorAll('time[data-since]')) {
    place.textContent = spoken((Date.now() - Date.parse(place.dataset.since)) / 1000);
  }
}

function spoken(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}
