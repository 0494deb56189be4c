import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import type { Schema } from '../variants/values.ts';

const FILE: Schema = { type: 'string', format: 'binary' };

/** Describes all routes that come later, from the schemas that check them. */
export async function describeRoutes(
  app: FastifyInstance,
  version: string,
  hasTokens: boolean,
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'imgtool', description: 'Turns uploaded images into named variants.', version },
      ...(hasTokens ? { components: { securitySchemes: { token: BEARER } } } : {}),
    },
    transform: ({ schema: plain, url: matched, route }) => {
      const { multipart, needsToken, shownAs: url = matched } = route.config ?? {};
      const schema = hasTokens && needsToken ? { ...plain, security: [{ token: [] }] } : plain;
      if (multipart === undefined) return { schema, url };
      const { properties, required, type } = multipart.fields;
      const file = multipart.file === 'file' ? FILE : { type: 'array', items: FILE };
      const body = {
        type,
        properties: { [multipart.file]: file, ...properties },
        required: [multipart.file, ...required],
      };
      return { schema: { ...schema, consumes: ['multipart/form-data'], body }, url };
    },
  });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The address as the document shows it, if it has a wildcard. */
    shownAs?: string;
  }
}

const BEARER = { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } as const;
