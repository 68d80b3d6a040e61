// Tables by keyboard: j and k (or the arrows) move, Enter opens, x selects, / goes to the filter.
const typing = (element) => element.matches('input:not([type=checkbox]), textarea, select, [contenteditable]');

function rows() {
  return [...document.querySelectorAll('[data-keyboard-rows] tbody tr:not(.trust-row, .mark)')];
}

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
  (next.querySelector('a') ?? next).focus();
}

function current() {
  return rows().find((row) => row.contains(document.activeElement));
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => current() && move(1),
  ArrowUp: () => current() && move(-1),
  x: () => current()?.querySelector('input[type=checkbox]')?.click(),
  '/': () => document.querySelector('[data-filter-focus]')?.focus(),
};

export function keyboardTables() {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const act = KEYS[event.key];
    if (!act || !document.querySelector('[data-keyboard-rows]')) return;
    if (event.key.startsWith('Arrow') && !current()) return;
    event.preventDefault();
    act();
  });
  document.addEventListener('change', (event) => {
    if (!event.target.matches('[data-select-all]')) return;
    for (const box of document.querySelectorAll('input[name=candidates]')) box.checked = event.target.checked;
    counted();
  });
  document.addEventListener('change', (event) => event.target.matches('input[name=candidates]') && counted());
}

function counted() {
  const chosen = document.querySelectorAll('input[name=candidates]:checked').length;
  for (const place of document.querySelectorAll('[data-chosen]')) place.textContent = `${chosen}`;
}
