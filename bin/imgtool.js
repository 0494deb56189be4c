#!/usr/bin/env node
// Old syntax only: an old Node must parse this file in order to print the message.
var wanted = [20, 19];
var found = process.versions.node.split('.').map(Number);

if (found[0] < wanted[0] || (found[0] === wanted[0] && found[1] < wanted[1])) {
  process.stderr.write(
    'error: imgtool needs Node ' +
      wanted.join('.') +
      ' or newer, this is Node ' +
      process.versions.node +
      '\n' +
      'fix: install a current Node.js, then run the same command again\n',
  );
  process.exitCode = 2;
} else {
  import('../dist/cli.js').catch((error) => {
    if (error && error.code === 'ERR_MODULE_NOT_FOUND' && /dist.cli\.js/.test(error.message)) {
      process.stderr.write('error: imgtool is not built yet\nfix: npm install && npm run build\n');
      process.exitCode = 2;
    } else {
      throw error;
    }
  });
}
