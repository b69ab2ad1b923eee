# syntax=docker/dockerfile:1

# The production binary alone, without the embedded Temporal server of postrider-dev.
FROM golang:1.26.8 AS build
WORKDIR /src
COPY . .
# Only the modules that the binary needs are fetched: all of go.mod would be ten times as many bytes.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w" -o /out/postrider ./cmd/postrider

# CA certificates, time zones and an unprivileged user; no shell.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/postrider /usr/local/bin/postrider
# Inside a container, loopback is nobody's address but its own.
ENV POSTRIDER_LISTEN=0.0.0.0:8080
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/postrider"]
CMD ["serve"]
