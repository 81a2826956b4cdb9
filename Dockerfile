# Two images. `migrate` holds Drover and the databases of this workspace:
#   docker build --target migrate --tag drover-migrate .
# `app` is an example of an image that is built on it, with an application beside the databases.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS install
ENV CI=true
WORKDIR /drover
# The packages change less often than the workspace, so their download is a layer of its own.
COPY pnpm-lock.yaml pnpm-workspace.yaml package.json ./
RUN npx -y pnpm@12.21.0 fetch --prod && rm -rf node_modules
COPY . .
# Without optional dependencies: the image has its Node, and its databases are elsewhere. database.ts is read at run
# time, so what it imports is put where every package of the workspace finds it. What generates revisions and snapshots
# is for development, and is a third of all there is.
RUN npx -y pnpm@12.21.0 install --prod --no-optional --offline --frozen-lockfile \
      --filter '@drover/scripts...' --filter './databases/*' --filter './examples/*' \
  && mkdir -p node_modules/@drover \
  && ln -s ../../packages/config node_modules/@drover/config \
  && rm -rf node_modules/.pnpm/drizzle-kit@* node_modules/.pnpm/@electric-sql+*

FROM ${NODE_IMAGE} AS migrate
ENV NODE_ENV=production NODE_COMPILE_CACHE=/tmp/node-compile-cache
WORKDIR /drover
# The files belong to root, and nobody in the container is root: what runs there cannot change what will be run.
COPY --from=install /drover/package.json /drover/pnpm-lock.yaml /drover/pnpm-workspace.yaml ./
COPY --from=install /drover/node_modules ./node_modules
COPY --from=install /drover/packages ./packages
COPY --from=install /drover/scripts ./scripts
COPY --from=install /drover/databases ./databases
USER node
# It runs to its end, so there is nothing for a health check to ask: its exit code says how it went.
ENTRYPOINT ["node", "scripts/migrate.ts"]
CMD ["upgrade"]

FROM migrate AS app
COPY --from=install /drover/examples ./examples
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT []
CMD ["node", "examples/app/server.ts"]
