// Light or dark before the first paint: what the person chose, else what the system says.
const wish = window.matchMedia('(prefers-color-scheme: dark)');

function apply() {
  const chosen = localStorage.getItem('theme');
  document.documentElement.dataset.bsTheme = chosen ?? (wish.matches ? 'dark' : 'light');
  document.dispatchEvent(new CustomEvent('theme'));
}

window.setTheme = (name) => {
  if (name === 'system') localStorage.removeItem('theme');
  else localStorage.setItem('theme', name);
  apply();
};
wish.addEventListener('change', apply);
apply();
