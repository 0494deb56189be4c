import { openLocalStorage } from '../../src/adapters/local-storage.ts';
import { storageConformance } from '../contract/storage.ts';

storageConformance('a local folder', openLocalStorage);
