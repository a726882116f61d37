# Every target is a short name for a script in scripts/, where the reasons are.
.DEFAULT_GOAL := help
.PHONY: help run test build cli bench format openapi check-docs check-scripts clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

run: ## Install what is missing, build and serve on http://127.0.0.1:8000
	@scripts/run.sh

test: ## Run every test on SQLite and on a private PostgreSQL (PROJECT=, ARGS= to narrow)
	@PROJECT="$(PROJECT)" scripts/test.sh $(ARGS)

build: ## Publish the server to artifacts/server/ and the command line to artifacts/cli/
	@scripts/build.sh

cli: ## Publish the command line alone: artifacts/cli/lintel
	@scripts/build.sh cli

bench: ## Measure the published server and write docs/performance.md
	@scripts/bench.sh $(ARGS)

format: ## Put the code into the project's format
	@scripts/format.sh

openapi: ## Write docs/api/openapi.json from the running server
	@scripts/openapi.sh

check-docs: ## Run the README's walk-through and every marked page exactly as printed (ARGS= to narrow)
	@scripts/check-docs.sh $(ARGS)

check-scripts: ## Lint the shell scripts
	@shellcheck -x scripts/*.sh .ci/run

clean: ## Remove everything that was built (never ./data)
	@rm -rf artifacts src/*/bin src/*/obj tests/*/bin tests/*/obj bench/*/bin bench/*/obj
