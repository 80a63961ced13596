/*
 * What a fixture does on its way to its state, and how it sends commands.
 */
#ifndef E2E_RULES_STEP_H
#define E2E_RULES_STEP_H

#include "rules/fixture.h"

// Sends a command as it stands, past libprovision, which would refuse some itself: see parcel.h. In
// the name of the application's neighbour where it begins with "@neighbour ". Returns its id, or
// NULL where the fixture has a problem.
const char *step_send(Fixture *fixture, const char *command);
// False: it is to be called again. A command that is to be waited for is the fixture's waiting_id.
bool step_take(Fixture *fixture, const Step *step);
// Returns when Kafka has all commands.
void step_flush(World *world);

#endif
