using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using Lintel.Features.Streams;
using Lintel.Platform.Errors;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.RateLimits;
using Lintel.Platform.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lintel.Features.Chat.Rooms;

internal static class RoomEndpoints
{
    private const int MaxBodyBytes = 4 * 1024;
    private const int DefaultPage = 50;
    private const int MaxPage = 200;

    public static void MapRooms(this IEndpointRouteBuilder routes)
    {
        var rooms = routes.MapGroup("/api/rooms").WithTags("Chat").RequireCaller(Scopes.Chat);
        rooms.MapPost("", CreateAsync).WithName("CreateRoom").WithSummary("Make a room").ProducesErrors(409).MaxBody(MaxBodyBytes).RateLimited()
            .DescribeResponse(201, "The room was made.", ("Location", "The room: `/api/rooms/{room}`."));
        rooms.MapGet("", ListAsync).WithName("ListRooms").WithSummary("List the rooms that you may enter");
        rooms.MapGet("{room}", GetAsync).WithName("GetRoom").WithSummary("Get a room").ProducesErrors(404);
        rooms.MapDelete("{room}", DeleteAsync).WithName("DeleteRoom").WithSummary("Delete a room of yours, with all that was said in it").ProducesErrors(404).RateLimited()
            .DescribeResponse(204, "The room is gone; its sockets close.");
        rooms.MapGet("{room}/messages", ListMessagesAsync).WithName("ListRoomMessages").WithSummary("Read a room's history, newest first").ProducesErrors(404);
        rooms.MapDelete("{room}/messages/{id}", DeleteMessageAsync).WithName("DeleteRoomMessage")
            .WithSummary("Remove a message of yours, or with the scope `admin` anybody's").ProducesErrors(404).RateLimited()
            .DescribeResponse(204, "Its text is gone.");
        rooms.MapGet("{room}/members", ListMembersAsync).WithName("ListRoomMembers").WithSummary("List the members of a private room").ProducesErrors(404);
        rooms.MapPut("{room}/members/{userId:long}", InviteAsync).WithName("InviteRoomMember").WithSummary("Let somebody into a private room of yours").ProducesErrors(403, 404, 409)
            .RateLimited().DescribeResponse(204, "They are a member.");
        rooms.MapDelete("{room}/members/{userId:long}", RemoveMemberAsync).WithName("RemoveRoomMember").WithSummary("Take a member out of a private room of yours, or leave one")
            .WithDescription("Their open sockets close at once, on every node.").ProducesErrors(403, 404, 409).RateLimited().DescribeResponse(204, "They are no member any more.");
        var mutes = routes.MapGroup("/api/rooms/{room}/mutes").WithTags("Chat").RequireCaller(Scopes.Chat | Scopes.Admin);
        mutes.MapPut("{userId:long}", MuteAsync).WithName("MuteRoomMember").WithSummary("Mute somebody in a room until a time")
            .WithDescription("For moderators: it needs the scope `admin` beside `chat`.").ProducesErrors(404).MaxBody(MaxBodyBytes).DescribeResponse(204, "They are muted.");
        mutes.MapDelete("{userId:long}", UnmuteAsync).WithName("UnmuteRoomMember").WithSummary("Let somebody speak again")
            .WithDescription("For moderators: it needs the scope `admin` beside `chat`.").ProducesErrors(404).DescribeResponse(204, "They may speak.");
    }

    private static async Task<Results<Created<RoomView>, ErrorResult>> CreateAsync(
        CreateRoom request, Caller caller, RoomTable table, ChatOptions options, CancellationToken cancellationToken)
    {
        if (!ChatName.TryParse(request.Name, out var name))
        {
            return ChatName.Invalid("name");
        }

        switch (await table.AddAsync(name, caller.OwnerId, request.IsPrivate, cancellationToken))
        {
            case RoomChange.Full:
                return RoomRefusals.TooManyRooms(options.RoomsPerOwner);
            case RoomChange.Taken:
                return ApiErrors.Conflict("There is a room of this name; choose another.");
        }

        return await table.FindAsync(name, caller.OwnerId, cancellationToken) is { } room
            ? TypedResults.Created("/api/rooms/" + Uri.EscapeDataString(room.Name), RoomView.From(room))
            : RoomRefusals.NoSuchRoom;
    }

    private static async Task<Results<Ok<RoomList>, ErrorResult>> ListAsync(
        Caller caller,
        RoomTable table,
        CancellationToken cancellationToken,
        [Description("The `next` of an earlier page.")] string? after = null,
        [Description("How many rooms a page has at most."), Range(1, MaxPage)] int limit = DefaultPage)
    {
        if (CheckLimit(limit) is { } wrong)
        {
            return wrong;
        }

        var last = default(ChatName);
        if (after is not null && !ChatName.TryParse(after, out last))
        {
            return ApiErrors.Invalid("after", "Must be the next of an earlier page.");
        }

        // One more than asked for tells whether there is a next page.
        var rooms = await table.ListAsync(caller.OwnerId, last.Key ?? "", limit + 1, cancellationToken);
        var page = rooms.Take(limit).Select(RoomView.From).ToList();
        return TypedResults.Ok(new RoomList(page, rooms.Count > limit ? page[^1].Name : null));
    }

    private static async Task<Results<Ok<RoomView>, ErrorResult>> GetAsync(string room, Caller caller, RoomTable table, CancellationToken cancellationToken) =>
        await FindAsync(room, caller, table, cancellationToken) is { } found ? TypedResults.Ok(RoomView.From(found)) : RoomRefusals.NoSuchRoom;

    private static async Task<Results<NoContent, ErrorResult>> DeleteAsync(string room, Caller caller, RoomTable table) =>
        ChatName.TryParse(room, out var name) && await table.DeleteAsync(name, caller.OwnerId, caller.Has(Scopes.Admin), CancellationToken.None)
            ? TypedResults.NoContent()
            : ApiErrors.NotFound("You have no room of this name.");

    private static async Task<Results<Ok<RoomHistory>, ErrorResult>> ListMessagesAsync(
        string room,
        Caller caller,
        RoomTable table,
        RoomMessages messages,
        CancellationToken cancellationToken,
        [Description("The `next` of an earlier page.")] string? before = null,
        [Description("How many messages a page has at most."), Range(1, MaxPage)] int limit = DefaultPage)
    {
        if (CheckLimit(limit) is { } wrong)
        {
            return wrong;
        }

        if (await FindAsync(room, caller, table, cancellationToken) is not { Stream: var stream })
        {
            return RoomRefusals.NoSuchRoom;
        }

        var end = stream.NextSeq;
        if (before is not null)
        {
            if (!StreamCursor.TryParse(before, out var cursor) || cursor.Stream != stream.Name || cursor.Epoch != stream.Epoch)
            {
                return ApiErrors.Invalid("before", "Must be the next of an earlier page.");
            }

            end = cursor.Seq;
        }

        // One more than asked for tells whether there is a next page.
        var found = await messages.ListAsync(stream.Id, end, limit + 1, cancellationToken);
        var page = found.Take(limit)
            .Select(item => new RoomHistoryItem(stream.IdOf(item.Seq), JsonSerializer.Deserialize(item.Event.Data.Span, ChatJson.Default.RoomMessage)!)).ToList();
        return TypedResults.Ok(new RoomHistory(page, found.Count > limit ? page[^1].Id : null));
    }

    private static async Task<Results<NoContent, ErrorResult>> DeleteMessageAsync(string room, string id, Caller caller, RoomTable table, RoomMessages messages)
    {
        var isModerator = caller.Has(Scopes.Admin);
        var found = await (isModerator ? FindAnyAsync(room, table) : FindAsync(room, caller, table, CancellationToken.None));
        return found is null ? RoomRefusals.NoSuchRoom
            : await messages.DeleteAsync(found.Stream, caller.OwnerId, isModerator, id) is { } refusal ? ApiErrors.NotFound(refusal)
            : TypedResults.NoContent();
    }

    private static async Task<Results<Ok<RoomMembers>, ErrorResult>> ListMembersAsync(string room, Caller caller, RoomTable table, CancellationToken cancellationToken) =>
        await FindAsync(room, caller, table, cancellationToken) is { } found
            ? TypedResults.Ok(new RoomMembers([.. (await table.ListMembersAsync(found, cancellationToken)).Select(static member => new RoomMember(member.UserId, member.JoinedAt))]))
            : RoomRefusals.NoSuchRoom;

    private static async Task<Results<NoContent, ErrorResult>> InviteAsync(string room, long userId, Caller caller, RoomTable table, ChatOptions options) =>
        Explain(ChatName.TryParse(room, out var name) ? await table.InviteAsync(name, caller.OwnerId, userId, CancellationToken.None) : RoomChange.NotFound, options);

    private static async Task<Results<NoContent, ErrorResult>> RemoveMemberAsync(string room, long userId, Caller caller, RoomTable table, ChatOptions options) =>
        Explain(ChatName.TryParse(room, out var name) ? await table.RemoveMemberAsync(name, caller.OwnerId, userId, CancellationToken.None) : RoomChange.NotFound, options);

    private static async Task<Results<NoContent, ErrorResult>> MuteAsync(string room, long userId, MuteMember request, RoomTable table, TimeProvider time)
    {
        if (request.Until is not { } until || until <= time.GetUtcNow())
        {
            return ApiErrors.Invalid("until", "Must be a time to come, such as 2027-01-31T12:00:00Z.");
        }

        return await SetMuteAsync(room, userId, until, table);
    }

    private static async Task<Results<NoContent, ErrorResult>> UnmuteAsync(string room, long userId, RoomTable table) => await SetMuteAsync(room, userId, null, table);

    private static async Task<Results<NoContent, ErrorResult>> SetMuteAsync(string room, long userId, DateTimeOffset? until, RoomTable table)
    {
        if (await FindAnyAsync(room, table) is not { } found)
        {
            return ApiErrors.NotFound("There is no room of this name.");
        }

        return await table.MuteAsync(found, userId, until, CancellationToken.None) ? TypedResults.NoContent() : ApiErrors.NotFound("There is no account of this id.");
    }

    private static Task<Room?> FindAsync(string room, Caller caller, RoomTable table, CancellationToken cancellationToken) =>
        ChatName.TryParse(room, out var name) ? table.FindAsync(name, caller.OwnerId, cancellationToken) : Task.FromResult<Room?>(null);

    private static Task<Room?> FindAnyAsync(string room, RoomTable table) =>
        ChatName.TryParse(room, out var name) ? table.FindAnyAsync(name, CancellationToken.None) : Task.FromResult<Room?>(null);

    private static ErrorResult? CheckLimit(int limit) =>
        limit is < 1 or > MaxPage ? ApiErrors.Invalid("limit", string.Create(CultureInfo.InvariantCulture, $"Must be from 1 to {MaxPage}.")) : null;

    private static Results<NoContent, ErrorResult> Explain(RoomChange change, ChatOptions options) => change switch
    {
        RoomChange.Done => TypedResults.NoContent(),
        RoomChange.NotOwner => ApiErrors.Forbidden("Only the owner of the room may do this."),
        RoomChange.NoSuchUser => ApiErrors.NotFound("There is no such user, or they are no member."),
        RoomChange.Public => ApiErrors.Conflict("The room is open to all, and has no members."),
        RoomChange.Owner => ApiErrors.Conflict("The owner cannot leave the room; delete it."),
        RoomChange.Full => ApiErrors.Conflict(
            string.Create(CultureInfo.InvariantCulture, $"The room has {options.MembersPerRoom} members, which is as many as one may have.")),
        _ => RoomRefusals.NoSuchRoom,
    };
}
