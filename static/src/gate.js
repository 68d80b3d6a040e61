// The DFT gate by keyboard: a approves, r denies, c comments, u undoes, ? shows the keys; j, k and x are every table's.
const typing = (element) => element.matches('input:not([type=checkbox]), textarea, select, [contenteditable]');

const boxes = () => [...document.querySelectorAll('#decision input[name=shown]')];

function row() {
  return document.activeElement?.closest('[data-keyboard-rows] tbody tr');
}

// What is chosen goes; else the row in focus, else the first one.
function decide(answer) {
  const button = document.querySelector(`[data-gate=${answer}]`);
  if (!button) return;
  if (!boxes().some((box) => box.checked)) {
    const box = row()?.querySelector('input[name=shown]') ?? boxes()[0];
    if (!box) return;
    box.checked = true;
  }
  button.click();
}

function comment() {
  const field = document.getElementById('comment');
  if (field) return field.focus();
  const link = row()?.querySelector('a[href]');
  if (link) window.location.assign(`${link.getAttribute('href')}#comment`);
}

function help() {
  const keys = document.getElementById('gate-keys');
  if (!keys) return;
  if (keys.open) keys.close();
  else keys.showModal();
}

const KEYS = {
  a: () => decide('approve'),
  r: () => decide('deny'),
  c: comment,
  u: () => document.querySelector('[data-gate-undo]')?.requestSubmit(),
  '?': help,
};

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const act = KEYS[event.key];
  if (!act || (document.getElementById('gate-keys')?.open && event.key !== '?')) return;
  event.preventDefault();
  act();
});

document.addEventListener('click', (event) => {
  if (event.target.closest('[data-gate-help]')) help();
});

document.addEventListener('change', (event) => {
  if (event.target.matches('[data-gate-all]')) for (const box of boxes()) box.checked = event.target.checked;
});

// A preview of approvals is confirmed by Enter; one of denials begins with the reason.
(document.querySelector('[data-gate-confirm]') ?? document.querySelector('[data-gate-focus]'))?.focus();
if (window.location.hash === '#comment') document.getElementById('comment')?.focus();
