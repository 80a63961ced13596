#include "run/flight.h"

void flight_run_roles(Flight *flight)
{
    Error err = ERROR_INIT;
    error_set(&err, ERROR_UNAVAILABLE, "ROLES_NOT_READY", "not yet");
    flight_learn(flight, &(Answer){.error = &err});
}
