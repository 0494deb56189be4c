import { describe, expect, it } from 'vitest';
import { decide, type Facts } from '../../../src/core/job/decide.ts';
import { sha } from '../../records.ts';
import {
  elsewhere,
  found,
  inWords,
  known,
  made,
  moved,
  reserved,
  SOURCE,
  touched,
  truncated,
  unmade,
  want,
} from './decisions.ts';

describe('the ownership rule', () => {
  it.each<[string, Partial<Facts>, string]>([
    ['leaves alone what is as recorded', {}, 'unchanged'],
    ['leaves alone what has the time of its source', { modified: made.mtime }, 'unchanged'],
    ['gives an output the time of its source', { modified: '981173106000000000' }, 'retime'],
    ['reads a source whose digest no stat vouches for', { digest: undefined }, 'read'],
    ['reads an output that was touched', { wanted: [want({ disk: touched })] }, 'read'],
    ['reads an output whose inode alone differs', { wanted: [want({ disk: moved })] }, 'read'],
    [
      'keeps a touched output with the recorded bytes',
      { wanted: [want({ disk: touched, checksum: made.checksum })] },
      'unchanged',
    ],
    [
      'renders an edited output of the same size again',
      { wanted: [want({ disk: touched, checksum: sha('edited') })] },
      'render: render over',
    ],
    ['makes again an output that is missing', { wanted: [want({ disk: null })] }, 'render: render over'],
    ['renders a truncated output again', { wanted: [want({ disk: truncated })] }, 'render: render over'],
    [
      'renders only the missing output again',
      { wanted: [want(), want({ path: '/out/a_big.webp', disk: null })] },
      'render: keep, render over',
    ],
    ['renders a new source', { recorded: undefined, wanted: [unmade] }, 'render: render'],
    ['renders when the settings changed', { wanted: [want({ settings: 'bb' })] }, 'render: render over'],
    ['renders when the bytes changed', { digest: sha('new') }, 'render: render over'],
    [
      'renders one more variant of a known picture',
      { wanted: [want(), { ...unmade, path: '/out/a_big.webp', settings: 'bb' }] },
      'render: keep, render',
    ],
    [
      'links a copy to the outputs of an existing source',
      { recorded: undefined, wanted: [unmade], elsewhere: [elsewhere()] },
      'duplicate: link',
    ],
    [
      'reuses outputs whose source is gone',
      { recorded: undefined, wanted: [unmade], elsewhere: [elsewhere({ ownerThere: false })] },
      'reuse: link',
    ],
    [
      'copies outputs in another folder',
      {
        recorded: undefined,
        wanted: [unmade],
        elsewhere: [elsewhere({ sameFolder: false, linkable: false })],
      },
      'reuse: copy',
    ],
    [
      'copies an output of this folder that must stay a file of its own',
      { recorded: undefined, wanted: [unmade], elsewhere: [elsewhere({ linkable: false })] },
      'duplicate: copy',
    ],
    [
      'prefers a linkable output over an older one that must stay a file of its own',
      { recorded: undefined, wanted: [unmade], elsewhere: [elsewhere({ linkable: false }), elsewhere()] },
      'duplicate: link',
    ],
    [
      'copies the outputs of an existing source when duplicates are copied',
      { recorded: undefined, wanted: [unmade], elsewhere: [elsewhere()], duplicates: 'copy' },
      'duplicate: copy',
    ],
    [
      'copies an output that gets the time of its source, because links share one time',
      { recorded: undefined, wanted: [unmade], elsewhere: [elsewhere()], modified: made.mtime },
      'duplicate: copy',
    ],
    [
      'links to an output of this folder whose source is gone, rather than copy one of another folder',
      {
        recorded: undefined,
        wanted: [unmade],
        elsewhere: [elsewhere({ sameFolder: false, linkable: false }), elsewhere({ ownerThere: false })],
      },
      'reuse: link',
    ],
    [
      'prefers an existing source over one that is gone',
      { recorded: undefined, wanted: [unmade], elsewhere: [elsewhere({ ownerThere: false }), elsewhere()] },
      'duplicate: link',
    ],
    [
      'renders instead of using a broken output of a copy',
      { recorded: undefined, wanted: [unmade], elsewhere: [elsewhere({ intact: false })] },
      'render: render',
    ],
    [
      'renders instead of using an output with other settings',
      { recorded: undefined, wanted: [unmade], elsewhere: [elsewhere({}, { settings: 'bb' })] },
      'render: render',
    ],
    [
      'takes a missing output from a copy instead of rendering it',
      { wanted: [want({ disk: null })], elsewhere: [elsewhere()] },
      'duplicate: link over',
    ],
    [
      'renders the rest when a copy has only some of the outputs',
      { recorded: undefined, wanted: [unmade, { ...unmade, settings: 'bb' }], elsewhere: [elsewhere()] },
      'render: link, render',
    ],
    [
      'leaves a copy to the other source when duplicates are skipped',
      { recorded: undefined, wanted: [unmade], elsewhere: [elsewhere()], duplicates: 'skip' },
      'duplicate: skip',
    ],
    [
      'gives a renamed source its outputs even when duplicates are skipped',
      {
        recorded: undefined,
        wanted: [unmade],
        elsewhere: [elsewhere({ ownerThere: false })],
        duplicates: 'skip',
      },
      'reuse: link',
    ],
    [
      'adopts a moved output of the same bytes whose old path is gone',
      {
        recorded: undefined,
        wanted: [found],
        elsewhere: [elsewhere({ intact: false, ownerThere: false, sameFolder: false })],
      },
      'reuse: adopt',
    ],
    [
      'reports a duplicate when it adopts an output that an existing source has too',
      {
        recorded: undefined,
        wanted: [found],
        elsewhere: [elsewhere({ intact: false, ownerThere: false }), elsewhere()],
      },
      'duplicate: adopt',
    ],
    [
      'adopts existing outputs and renders the rest',
      {
        recorded: undefined,
        wanted: [found, { ...unmade, settings: 'bb' }],
        elsewhere: [elsewhere({ ownerThere: false, intact: false })],
      },
      'render: adopt, render',
    ],
    [
      'adopts no output with other settings or other bytes',
      {
        recorded: undefined,
        wanted: [found, { ...found, settings: 'bb', checksum: sha('other') }],
        elsewhere: [elsewhere({ intact: false }, { settings: 'bb' })],
      },
      'render: render, render',
    ],
    [
      'adopts an existing file even when duplicates are skipped',
      { recorded: undefined, wanted: [found], elsewhere: [elsewhere()], duplicates: 'skip' },
      'duplicate: adopt',
    ],
    [
      'renders instead of adopting when forced',
      { recorded: undefined, wanted: [found], elsewhere: [elsewhere()], force: true },
      'render: render over',
    ],
    [
      'adopts neither another source of this batch nor this source itself, even when forced',
      { recorded: undefined, wanted: [{ ...found, holds: 'this source' }], elsewhere: [elsewhere()] },
      'refuse output_is_source',
    ],
    [
      'reports inherited outputs as reused, because they are new for this source',
      { recorded: undefined },
      'reuse: keep',
    ],
    [
      'renders an output but does not replace an unknown file',
      { recorded: undefined, wanted: [want({ record: undefined })] },
      'render: render',
    ],
    [
      'replaces an unknown file when forced',
      { recorded: undefined, wanted: [want({ record: undefined })], force: true },
      'render: render over',
    ],
    ['renders all again when forced', { force: true, elsewhere: [elsewhere()] }, 'render: render over'],
    [
      'never replaces the source itself',
      { wanted: [want({ record: undefined, holds: 'this source' })], force: true },
      'refuse output_is_source',
    ],
    [
      'never replaces another source, even when forced',
      { wanted: [want({ record: undefined, holds: 'another source' })], force: true },
      'refuse output_is_source',
    ],
    [
      'refuses a folder or link under the name',
      { wanted: [want({ disk: 'foreign' })] },
      'refuse output_exists',
    ],
    [
      'refuses a folder or link under the name even when forced',
      { wanted: [want({ record: undefined, disk: 'foreign' })], force: true },
      'refuse output_exists',
    ],
    [
      'refuses a name that belongs to another source',
      { wanted: [want({ record: { ...made, source: '/photos/b.jpg' } })] },
      'refuse output_exists',
    ],
    [
      'refuses a name that is reserved for another source',
      { wanted: [want({ record: reserved('/photos/b.jpg'), disk: null })], force: true },
      'refuse output_exists',
    ],
    [
      'uses a name that is reserved for this source',
      { wanted: [want({ record: reserved(SOURCE), disk: null })] },
      'render: render',
    ],
  ])('%s', (_title, over, expected) => {
    expect(inWords(decide(known(over)))).toBe(expected);
  });

  it('names the original source of a duplicate', () => {
    const decision = decide(known({ recorded: undefined, wanted: [unmade], elsewhere: [elsewhere()] }));
    expect(decision).toMatchObject({ action: 'duplicate', of: '/photos/b.jpg' });
  });
});
