/*
 * Stands in Neon's place before neon-sandbox: passes every call on, but those that a rule is about
 * get an answer of the test's making. It may name another port for every branch's PostgreSQL. A
 * thread a connection, a call a connection.
 */
#ifndef E2E_API_DOOR_H
#define E2E_API_DOOR_H

#include <stdbool.h>

// In an answer: stands for the call's own key, "Bearer …".
#define API_DOOR_ECHO "\x01"

typedef struct ApiDoor ApiDoor;

// Which calls are met, and by what. Its texts outlive the door.
typedef struct ApiDoorRule {
    const char *method; // NULL: any
    const char *part;   // of its path; NULL: any
    bool takes_effect;  // the call is passed on; its own answer is dropped
    const char *first;
    const char *again; // after it, without an end; NULL: hangs up
    bool slowly;       // with pauses
} ApiDoorRule;

// `api_url` of a sandbox on 127.0.0.1.
ApiDoor *api_door_open(const char *api_url);
// On loopback.
int api_door_port(const ApiDoor *door);
void api_door_close(ApiDoor *door);

// From now on; NULL: none. The rule stays the caller's, and must stay.
void api_door_set_rule(ApiDoor *door, const ApiDoorRule *rule);
// Calls that were met by it since it was set.
int api_door_met(const ApiDoor *door);
// Every address of a branch names this port instead; 0: as it is.
void api_door_set_postgres(ApiDoor *door, int port);

#endif
