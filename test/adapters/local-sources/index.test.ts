import { localSourceProbe } from '../../../src/adapters/local-sources/files.ts';
import { openLocalSources } from '../../../src/adapters/local-sources/index.ts';
import { sourcesConformance } from '../../contract/sources.ts';
import { sourcesAgainConformance } from '../../contract/sources-again.ts';
import { partsOfSourcesConformance } from '../../contract/sources-part.ts';
import { watchedSourcesConformance } from '../../contract/sources-watch.ts';

sourcesConformance('local folders', openLocalSources);
sourcesAgainConformance('local folders', openLocalSources);
partsOfSourcesConformance('local folders', openLocalSources, localSourceProbe);
watchedSourcesConformance('local folders', openLocalSources);
