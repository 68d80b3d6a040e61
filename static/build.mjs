// Builds everything that a page loads into static/vendor: our own sources with the libraries they import.
import { build } from 'esbuild';
import { copyFileSync, readFileSync, writeFileSync, existsSync, readdirSync, rmSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, 'vendor');
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const result = await build({
  entryPoints: ['theme.js', 'app.js', 'plots.js', 'cell.js', 'gate.js', 'app.css'].map((name) => join(here, 'src', name)),
  outdir: out,
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['es2020'],
  define: { global: 'globalThis', 'process.env.NODE_ENV': '"production"' },
  loader: { '.woff2': 'file', '.svg': 'dataurl', '.png': 'dataurl' },
  assetNames: 'fonts/[name]',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});

copyFileSync(join(here, 'src', 'favicon.svg'), join(out, 'favicon.svg'));
rmSync(join(out, 'plots.css'), { force: true }); // plotly's map controls, which no page shows
const outputs = Object.entries(result.metafile.outputs).filter(([path]) => !path.endsWith('plots.css'));
const packages = [...new Set(outputs.map(([, output]) => output).flatMap((output) => Object.keys(output.inputs))
  .map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter(Boolean))].sort();
const rows = packages.map((name) => {
  const folder = join(here, '..', 'node_modules', name);
  const facts = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  return { name, version: facts.version, license: facts.license ?? 'see its text', text: file ? readFileSync(join(folder, file), 'utf8') : '' };
});
const bundled3dmol = join(here, '..', 'node_modules/3dmol/build/3Dmol-min.js.LICENSE.txt');
const notes = existsSync(bundled3dmol) ? readFileSync(bundled3dmol, 'utf8') : '';
writeFileSync(join(out, 'THIRD-PARTY.txt'),
  rows.map((row) => `${row.name} ${row.version} (${row.license})\n\n${row.text}`).join(`\n${'-'.repeat(80)}\n\n`)
  + `\n${'-'.repeat(80)}\n\nInside 3dmol:\n\n${notes}`);
writeFileSync(join(out, 'packages.json'), JSON.stringify(rows.map(({ text, ...row }) => row), null, 1));
