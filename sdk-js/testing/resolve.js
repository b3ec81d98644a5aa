/** Finds the module that stands in for an interface of the host. Runs in Node's loader thread. */
export function resolve(specifier, context, next) {
  const [, name] = /^(?:hookswitch:handler|wasi)[/:]([a-z-]+)[@/]/.exec(specifier) ?? [];
  return name ? { url: new URL(`./host/${name}.js`, import.meta.url).href, shortCircuit: true } : next(specifier, context);
}
