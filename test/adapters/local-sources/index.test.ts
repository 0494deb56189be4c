import { openLocalSources } from '../../../src/adapters/local-sources/index.ts';
import { sourcesConformance } from '../../contract/sources.ts';

sourcesConformance('local folders', openLocalSources);
