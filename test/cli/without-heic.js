// Loaded before anything else into the binary and its children: the optional package for HEIC is not installed.
import Module, { register } from 'node:module';

const missing = (name) =>
  Object.assign(new Error(`Cannot find package '${name}'`), { code: 'ERR_MODULE_NOT_FOUND' });

const { _resolveFilename: resolve } = Module;
Module._resolveFilename = function (name, ...rest) {
  if (name.startsWith('libheif-js')) throw missing(name);
  return resolve.call(this, name, ...rest);
};

const hook = `export async function resolve(name, context, next) {
  if (!name.startsWith('libheif-js')) return next(name, context);
  throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
}`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
