/*
 * The commands that are played, each with what stands before it.
 */
#ifndef FUZZ_SAGA_SCENES_H
#define FUZZ_SAGA_SCENES_H

#include "ledger.h"

// Whose public key RevealCredentials names.
#define SCENES_RECIPIENTS "shop=8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f"

const Scene *scenes_choose(uint8_t byte);

#endif
