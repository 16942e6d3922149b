# Built in one stage, run in another. test/package/ runs each of these steps in an empty folder.

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY bin bin
COPY src src
RUN npx tsc -p tsconfig.build.json
RUN npm prune --omit=dev --ignore-scripts

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /penstock
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json LICENSE ./
COPY config config
USER 10001
EXPOSE 4317 4318 8888 8889 13133
ENTRYPOINT ["node", "--initial-old-space-size=96", "--max-semi-space-size=2", "--single-threaded-gc", "dist/bin/penstock.js"]
CMD ["run", "--config", "config/gateway.yaml"]
