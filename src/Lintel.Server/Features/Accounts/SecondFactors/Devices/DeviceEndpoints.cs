using System.ComponentModel;
using Lintel.Features.Accounts.Audit;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Accounts.SecondFactors.Devices;

internal static class DeviceEndpoints
{
    public static void MapDevices(this RouteGroupBuilder auth)
    {
        var devices = auth.MapGroup("devices").RequirePerson().RateLimited();
        devices.MapGet("", ListAsync).WithName("ListRememberedDevices").WithSummary("List the devices that are remembered");
        devices.MapDelete("{id:guid}", RemoveAsync).WithName("ForgetDevice").WithSummary("Forget a device")
            .WithDescription("The next sign-in on it is like one on any other: with a second factor, where you have one. Its session goes on.")
            .ProducesErrors(404).DescribeResponse(204, "It is forgotten.");
    }

    private static async Task<Ok<DeviceList>> ListAsync(Caller caller, RememberedDevices devices, CancellationToken cancellationToken) =>
        TypedResults.Ok(new DeviceList(await devices.ListAsync(caller.OwnerId, caller.SessionId, cancellationToken), null));

    private static async Task<Results<NoContent, ErrorResult>> RemoveAsync(
        [Description("The device's id, from the list.")] Guid id, HttpContext context, Caller caller, RememberedDevices devices, ForwardedClient forwarded) =>
        await devices.RemoveAsync(caller.OwnerId, id, Actor.Of(context, caller, forwarded), CancellationToken.None)
            ? TypedResults.NoContent()
            : ApiErrors.NotFound("No device of this id is remembered.");
}
