#!/usr/bin/env node
/**
 * Makes a component of the handler in the current folder: `build = "node …/build.mjs"` in `handler.toml`.
 *
 * What the handler imports and exports is read off its bundle, and the component's world is made from that: it asks the
 * host for what it uses and nothing else. The engine starts and the handler's module runs here, once; each instance
 * continues from that state. Tools are the project's own, pinned by its package-lock.json.
 *
 * Settings stand in package.json under `hookswitch`: `entry`, `engine` (`quickjs` or `starlingmonkey`), `fetch`.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { linesOf } from './lines.mjs';

const COMPONENT = 'build/handler.wasm';
/** Where the bundle would be, if it was written. */
const BUNDLE = 'build/handler.js';
const HERE = fileURLToPath(new URL('.', import.meta.url));
/** What COMPONENT was made from. */
const MADE_FROM = 'build/made-from';
/** What a handler may export, and the interface of the contract that it answers. */
const INTERFACES = { voice: 'voice', messaging: 'messaging', events: 'events', web: 'wasi:http/incoming-handler@0.2.0' };
const ENGINES = { quickjs: 'componentize-qjs', starlingmonkey: '@bytecodealliance/componentize-js' };
const CONTRACT = /^hookswitch:handler\/([a-z-]+)@[\d.]+$/;

async function main() {
  const settings = readSettings();
  install();
  const bundle = await bundled(settings);
  const world = worldOf(bundle);
  const recipe = recipeOf(settings, bundle, world);
  if (existsSync(COMPONENT) && existsSync(MADE_FROM) && readFileSync(MADE_FROM, 'utf8') === recipe) {
    console.log(`${COMPONENT} is up to date`);
    return;
  }
  const component = await componentOf(settings, bundle, world);
  mkdirSync('build', { recursive: true });
  rmSync(MADE_FROM, { force: true });
  writeWhole(COMPONENT, component);
  writeWhole(MADE_FROM, recipe);
}

/** Something the author can change. */
class Refused extends Error {}

function readSettings() {
  const { hookswitch = {} } = JSON.parse(readFileSync('package.json', 'utf8'));
  const { entry = 'src/handler.js', engine = 'quickjs', fetch = false, ...unknown } = hookswitch;
  for (const key of Object.keys(unknown)) {
    throw new Refused(`package.json: hookswitch.${key} means nothing; expected entry, engine or fetch`);
  }
  if (!(engine in ENGINES)) {
    throw new Refused(`package.json: hookswitch.engine is ${JSON.stringify(engine)}; expected ${Object.keys(ENGINES).join(' or ')}`);
  }
  if (fetch && engine === 'quickjs') {
    throw new Refused('package.json: hookswitch.fetch needs the engine starlingmonkey; QuickJS has no fetch');
  }
  if (!existsSync(entry)) {
    throw new Refused(`${entry} is not there; write the handler there, or name its file as hookswitch.entry in package.json`);
  }
  return { entry, engine, fetch: Boolean(fetch) };
}

/** Runs npm where node_modules is not what the lock file says. */
function install() {
  const installed = 'node_modules/.package-lock.json';
  if (!existsSync('package-lock.json')) {
    throw new Refused('package-lock.json is not there; run `npm install` once, and keep the file with the sources');
  }
  const changed = statSync('package-lock.json').mtimeMs;
  if (existsSync(installed) && statSync(installed).mtimeMs >= changed) return;
  console.log('installing what package-lock.json names into node_modules (npm install)');
  // Not `npm ci`: it refuses a lock file in which an optional package for some other platform could not be named.
  const npm = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { stdio: 'inherit', shell: process.platform === 'win32' });
  if (npm.error) throw new Refused(`npm could not be started (${npm.error.message}); install Node.js with npm`);
  if (npm.status !== 0) throw new Refused('npm install failed; its output is above');
}

/** The handler and what it uses of its packages, in one module; with what stays outside and what it exports. */
async function bundled(settings) {
  const bundle = await bundledFrom(settings, { entryPoints: [settings.entry] });
  if (!bundle.exports.includes('web')) return bundle;
  if (settings.engine === 'quickjs') {
    throw new Refused('the handler exports web, and web requests need the StarlingMonkey engine: set "hookswitch": { "engine": "starlingmonkey" } in package.json');
  }
  // Once more, with the engine's name for it beside its own.
  const entry = JSON.stringify(`./${settings.entry}`);
  const contents = `export * from ${entry};\nexport { web as incomingHandler } from ${entry};\n`;
  return bundledFrom(settings, { stdin: { contents, resolveDir: '.', sourcefile: BUNDLE } });
}

async function bundledFrom({ entry, engine }, input) {
  const { build } = await load('esbuild');
  const result = await build({
    ...input,
    bundle: true,
    write: false,
    metafile: true,
    outfile: BUNDLE,
    sourcemap: 'external',
    sourcesContent: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2022',
    external: ['hookswitch:*', 'wasi:*'],
    define: {
      HOOKSWITCH_ENGINE: JSON.stringify(engine),
      'process.env.NODE_ENV': '"production"',
      ...(engine === 'quickjs' && { 'Math.random': 'hookswitch_random' }),
    },
    inject: engine === 'quickjs' ? [join(HERE, 'quickjs.js')] : [],
    logLevel: 'warning',
  }).catch(() => {
    throw new Refused(`${entry} could not be bundled; what is wrong stands above`);
  });
  const output = result.metafile.outputs[BUNDLE];
  const imports = output.imports.filter((found) => found.external).map((found) => found.path);
  const [map, code] = ['.map', '.js'].map((ending) => result.outputFiles.find((file) => file.path.endsWith(ending)).text);
  const lines = JSON.stringify(linesOf(code, JSON.parse(map), ownFile));
  // Behind the code, whose lines it counts.
  const text = `${code}\nconst HOOKSWITCH_LINES = ${lines};\n`;
  return { text, imports: [...new Set(imports)].sort(), exports: output.exports };
}

/** The project's name for a source of the bundle; undefined for packages and for this helper. */
function ownFile(source) {
  const path = resolve('build', source);
  const name = relative('.', path).replaceAll('\\', '/');
  return path.startsWith(HERE) || /^\.\.\/|(^|\/)node_modules\//.test(name) ? undefined : name;
}

/** The world in WIT: the interfaces that the bundle exports, and those that it imports. */
function worldOf({ imports, exports }) {
  const answers = Object.keys(INTERFACES).filter((name) => exports.includes(name));
  if (answers.length === 0) {
    throw new Refused(
      `the handler exports ${exports.join(', ') || 'nothing'}; expected one or more of ${Object.keys(INTERFACES).join(', ')}, as in ` +
        '`export const voice = onCall((call) => …)`',
    );
  }
  const lines = [
    ...imports.map((path) => `import ${CONTRACT.exec(path)?.[1] ?? path};`),
    ...answers.map((name) => `export ${INTERFACES[name]};`),
  ];
  return `package hookswitch:handler@0.1.0;\n\nworld javascript-handler {\n${lines.map((line) => `    ${line}\n`).join('')}}\n`;
}

/** All that the component depends on, as a digest. */
function recipeOf({ engine, fetch }, { text }, world) {
  const hash = createHash('sha256');
  const tool = JSON.parse(readFileSync(join('node_modules', ENGINES[engine], 'package.json'), 'utf8')).version;
  for (const part of [engine, tool, String(fetch), world, text, ...witFiles().map((file) => readFileSync(file, 'utf8'))]) {
    hash.update(`${part.length}:${part}`);
  }
  return hash.digest('hex');
}

async function componentOf({ engine, fetch }, { text, exports }, world) {
  const work = mkdtempSync(join(tmpdir(), 'hookswitch-'));
  try {
    const wit = join(work, 'wit');
    cpSync(witFolder(), wit, { recursive: true });
    writeFileSync(join(wit, 'javascript-handler.wit'), world);
    const componentize = (await load(ENGINES[engine])).componentize;
    const worldName = 'javascript-handler';
    const options = {
      starlingmonkey: () => {
        // Without fetch its imports of wasi:http would ask the host for a leave that the handler does not use.
        const disableFeatures = fetch || exports.includes('web') ? ['fetch-event'] : ['http', 'fetch-event'];
        const sourcePath = join(work, 'handler.js');
        writeFileSync(sourcePath, text);
        return { sourcePath, witPath: wit, worldName, disableFeatures };
      },
      quickjs: () => ({ jsSource: text, witPath: wit, world: worldName, sync: true }),
    };
    return (await componentize(options[engine]())).component;
  } catch (error) {
    throw new Refused(`the component could not be made: ${error.message}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The contract: beside this file, or in the repository's folder. */
function witFolder() {
  return [join(HERE, 'wit'), join(HERE, '..', 'wit')].find((folder) => existsSync(folder));
}

function witFiles() {
  const names = readdirSync(witFolder(), { recursive: true }).map(String);
  return names.filter((name) => name.endsWith('.wit')).sort().map((name) => join(witFolder(), name));
}

/** A package of the project's: this file may lie outside of it, where Node would not look. */
async function load(name) {
  const folder = resolve('node_modules', name);
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) {
    throw new Refused(`${name} is not installed; run \`npm install --save-dev --save-exact ${name}\``);
  }
  const { exports, main } = JSON.parse(readFileSync(manifest, 'utf8'));
  return import(pathToFileURL(join(folder, exports?.import ?? main)).href);
}

/** Renamed into place, so that a host which loads the component now never sees a half. */
function writeWhole(path, content) {
  const partial = `${path}.${process.pid}.partial`;
  writeFileSync(partial, content);
  renameSync(partial, path);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Refused ? `error: ${error.message}` : error);
  process.exitCode = 1;
}
