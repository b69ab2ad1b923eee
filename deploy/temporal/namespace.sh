#!/bin/sh
# Waits until Temporal answers and creates the namespace unless it exists. TEMPORAL_ADDRESS and
# TEMPORAL_NAMESPACE say where.
set -eu

tries=30
until temporal operator cluster health >/dev/null 2>&1; do
	tries=$((tries - 1))
	if [ "$tries" -eq 0 ]; then
		echo "Temporal at $TEMPORAL_ADDRESS does not answer" >&2
		exit 1
	fi
	sleep 2
done

temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
	temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 168h
