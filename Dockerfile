# The service of `imgtool serve`. `imgtool help serve` explains it, and compose.yaml runs it.
FROM node:22-slim AS build
WORKDIR /imgtool
COPY package.json package-lock.json tsconfig.json ./
RUN npm ci --no-audit --no-fund
COPY src ./src
RUN npm run build

FROM node:22-slim
WORKDIR /imgtool
ENV NODE_ENV=production
COPY package.json package-lock.json LICENSE ./
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force
COPY bin ./bin
COPY src/help ./src/help
COPY --from=build /imgtool/dist ./dist
# A new volume at /data takes the owner of this folder.
RUN ln -s /imgtool/bin/imgtool.js /usr/local/bin/imgtool && mkdir /data && chown node:node /data

USER node
WORKDIR /data
VOLUME /data
# Without a secret, imgtool refuses these addresses, because strangers may reach them.
ENV IMGTOOL_LISTEN=0.0.0.0:8000
ENV IMGTOOL_ADMIN=0.0.0.0:5555
ENV IMGTOOL_INDEX=/data/imgtool.db
ENV IMGTOOL_STORAGE=/data/storage
EXPOSE 8000 5555
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.IMGTOOL_LISTEN.split(':').pop() + '/livez').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["imgtool"]
CMD ["serve"]
