// A crystal as balls, sticks and cell edges; the geometry is made on the server.
import * as $3Dmol from '3dmol';

const STATES = new WeakMap();

function background() {
  return getComputedStyle(document.body).getPropertyValue('--cell-background').trim();
}

function paint(place) {
  const { viewer, views } = STATES.get(place);
  const view = views[place.dataset.view];
  viewer.clear();
  viewer.setBackgroundColor(background(), 1);
  for (const edge of view.edges) {
    viewer.addCylinder({ start: point(edge[0]), end: point(edge[1]), radius: 0.03, color: '#7b8794', fromCap: 2, toCap: 2 });
  }
  for (const bond of view.bonds) {
    viewer.addCylinder({ start: point(bond[0]), end: point(bond[1]), radius: 0.09, color: '#9aa5b1', fromCap: 1, toCap: 1 });
  }
  view.positions.forEach((xyz, i) => viewer.addSphere({
    center: point(xyz), radius: view.radii[i], color: view.colours[i], quality: 2,
    hoverable: true, hover_callback: () => say(place, view.labels[i]), unhover_callback: () => say(place, ''),
  }));
  view.axes.forEach((axis) => arrow(viewer, axis));
  viewer.zoomTo();
  viewer.rotate(-12, 'x');
  viewer.rotate(18, 'y');
  viewer.zoom(1.45);
  viewer.render();
}

function arrow(viewer, axis) {
  viewer.addArrow({ start: point(axis.start), end: point(axis.end), radius: 0.05, color: axis.colour });
  viewer.addLabel(axis.name, { position: point(axis.end), fontSize: 13, fontColor: axis.colour, backgroundOpacity: 0 });
}

const point = ([x, y, z]) => ({ x, y, z });

function say(place, text) {
  place.parentElement.querySelector('[data-cell-label]').textContent = text;
}

function start(place) {
  const views = JSON.parse(document.getElementById(place.dataset.cell).textContent);
  const viewer = $3Dmol.createViewer(place, { antialias: true, disableFog: true, backgroundColor: background() });
  STATES.set(place, { viewer, views });
  place.dataset.view ??= Object.keys(views)[0];
  viewer.setProjection('orthographic');
  paint(place);
  place.dataset.drawn = 'yes';
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-cell-view]');
  if (!button) return;
  const place = document.getElementById(button.dataset.for);
  place.dataset.view = button.dataset.cellView;
  for (const other of button.parentElement.children) {
    other.classList.toggle('active', other === button);
    other.setAttribute('aria-pressed', `${other === button}`);
  }
  paint(place);
});
document.addEventListener('theme', () => document.querySelectorAll('[data-cell][data-drawn]').forEach(paint));
for (const place of document.querySelectorAll('[data-cell]')) start(place);
